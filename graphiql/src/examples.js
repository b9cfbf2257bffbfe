// The tabs that a newcomer finds. Each runs as it is.
export const examples = [
  {
    query: `# A page of the store's segments: press
# Ctrl-Enter. For the next page, copy endCursor
# from the response to "after" in the variables
# below.
query Forward($first: Int, $after: String) {
  segments(first: $first, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    edges {
      cursor
      node {
        id
        entityId
        name
        description
        createdAt
      }
    }
  }
}
`,
    variables: `{
  "first": 5,
  "after": null
}`,
  },
  {
    query: `# The last page. For the page before it, copy
# startCursor from the response to "before" in
# the variables below.
query Backward($last: Int, $before: String) {
  segments(last: $last, before: $before) {
    pageInfo {
      hasPreviousPage
      startCursor
    }
    nodes {
      entityId
      name
      updatedAt
    }
  }
}
`,
    variables: `{
  "last": 5,
  "before": null
}`,
  },
  {
    query: `# Segments by id: entityId is BigCommerce's
# uuid, id is that of this graph. The variables
# below are ids of the emulated store; replace
# them with those of your store. A segment that
# does not exist is null.
query ById(
  $entityId: ID!
  $entityIds: [ID!]!
  $id: ID!
) {
  segment(entityId: $entityId) {
    id
    name
    description
  }
  segmentsByEntityId(entityIds: $entityIds) {
    id
    entityId
    name
  }
  node(id: $id) {
    id
    ... on Segment {
      name
      updatedAt
    }
  }
}
`,
    variables: `{
  "entityId": "1a466884-f3f4-4249-9c28-ff90a5aec797",
  "entityIds": [
    "731c9452-1919-493a-9117-45ad49889310",
    "00000000-0000-4000-8000-000000000000",
    "c0433cbd-7dab-4929-84a3-34bfc6cd75e9"
  ],
  "id": "U2VnbWVudDpjMDQzM2NiZC03ZGFiLTQ5MjktODRhMy0zNGJmYzZjZDc1ZTk="
}`,
  },
  {
    query: `# Segments whose name contains a text, by name.
# Case and accents make no difference.
# sortKey is STORE_ORDER, NAME, CREATED_AT or
# UPDATED_AT.
query Sorted(
  $filter: SegmentFilter
  $sortKey: SegmentSortKey
  $reverse: Boolean
) {
  segmentsCount(filter: $filter)
  segments(
    first: 10
    filter: $filter
    sortKey: $sortKey
    reverse: $reverse
  ) {
    nodes {
      name
      createdAt
      updatedAt
    }
  }
}
`,
    variables: `{
  "filter": {
    "nameContains": "vip"
  },
  "sortKey": "NAME",
  "reverse": false
}`,
  },
  {
    query: `# Customers by BigCommerce's id or by e-mail,
# each with its segments. The variables below
# name customers of the emulated store; 20001
# has no shopper profile, and so no segments.
query Customers(
  $entityIds: [Int!]!
  $email: String!
) {
  customersByEntityId(entityIds: $entityIds) {
    ...WithSegments
  }
  customer(email: $email) {
    ...WithSegments
  }
}

fragment WithSegments on Customer {
  id
  entityId
  email
  firstName
  lastName
  shopperProfile {
    entityId
  }
  segments(first: 10) {
    totalCount
    nodes {
      id
      name
    }
  }
}
`,
    variables: `{
  "entityIds": [2, 6, 20001],
  "email": "ravi.silva.12@example.org"
}`,
  },
  {
    query: `# Who is in a segment, in pages like those of
# segments. The store's token needs a scope for
# it that may also write.
query Members(
  $entityId: ID!
  $first: Int
  $after: String
) {
  segment(entityId: $entityId) {
    id
    name
    shopperProfiles(
      first: $first
      after: $after
    ) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        entityId
        customer {
          id
          email
          firstName
        }
      }
    }
  }
}
`,
    variables: `{
  "entityId": "eab06e9b-65ed-4de4-bdb4-304de01c683e",
  "first": 5,
  "after": null
}`,
  },
  {
    query: `# A mutation. With KEEP, a segment of this name
# is answered as it is, and one is created only
# if there is none: the emulated store has it.
# Each item that fails is one of userErrors.
mutation KeepOrCreate(
  $input: CreateSegmentsInput!
) {
  createSegments(input: $input) {
    segments {
      id
      entityId
      name
      description
    }
    userErrors {
      field
      code
      message
    }
  }
}
`,
    variables: `{
  "input": {
    "ifNameTaken": "KEEP",
    "segments": [
      { "name": "VIP customers" }
    ]
  }
}`,
  },
];
