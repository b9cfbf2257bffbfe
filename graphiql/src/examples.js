// The tabs that a newcomer finds: pages, lookups, customers, a mutation. Each runs as it is. The
// first one runs by itself at a first visit.
export const examples = [
  {
    query: `# The first page of the store's segments. For
# the next page, copy endCursor from the answer
# to "after" in the variables below, and press
# Ctrl-Enter. Each tab shows another query.
query Forward($first: Int, $after: String) {
  segments(first: $first, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    nodes {
      name
      description
      entityId
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
    query: `# The last page: press Ctrl-Enter. For the page
# before it, copy startCursor from the response
# to "before" in the variables below. Each edge
# has a cursor, too: a page can begin at any
# row.
query Backward($last: Int, $before: String) {
  segments(last: $last, before: $before) {
    pageInfo {
      hasPreviousPage
      startCursor
    }
    edges {
      cursor
      node {
        entityId
        name
        updatedAt
      }
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
    query: `# Segments whose name contains a text, sorted by
# name. Case and accents make no difference.
# Pages of them have cursors as those of all
# segments. sortKey is STORE_ORDER, NAME,
# CREATED_AT or UPDATED_AT.
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
    query: `# Segments by id: entityId is BigCommerce's
# uuid, id is that of this graph. A segment that
# does not exist is null. All ids of this query,
# and of other clients' at this moment, are one
# request to the store. The ids below are of the
# emulated store; replace them with those of
# yours.
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
    query: `# Customers by BigCommerce's id or by e-mail,
# each with its segments. The variables below
# name customers of the emulated store; 20001
# has no shopper profile, and so is in no
# segment.
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
    query: `# Who is in a segment: its shopper profiles, in
# pages as those of segments, each with its
# customer. The store's token needs the scope
# store_v2_customers for it.
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
    query: `# A mutation: it creates a segment of this name.
# With KEEP, it returns the segment of this name
# if there is one, as in the emulated store.
# Each item that fails has its error in
# userErrors.
mutation CreateSegments(
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
