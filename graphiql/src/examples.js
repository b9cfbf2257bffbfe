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
];
