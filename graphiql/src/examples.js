// The tabs that a newcomer finds. Each runs as it is.
export const examples = [
  {
    query: `# The store's segments, page by page: press
# Ctrl-Enter. For the next page, copy endCursor
# out of the answer into "after" in the
# variables below.
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
    query: `# The other way round, from the end of the
# list. For the page before, copy startCursor
# out of the answer into "before" in the
# variables below.
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
    query: `# entityId is BigCommerce's own uuid, as its
# promotions name it; id is this graph's. The
# variables below name segments of the
# emulator: put your store's ids there. What
# the store does not have is null.
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
