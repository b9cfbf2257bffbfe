import { gql } from "@apollo/client";

// One list, with the same arguments in the query and in the payloads: so Apollo Client takes it for the same list.
const LIST = gql`
  fragment List on Query {
    segments(
      first: $first
      after: $after
      last: $last
      before: $before
      filter: $filter
      sortKey: $sortKey
      reverse: $reverse
    ) {
      totalCount
      edges {
        cursor
        node {
          id
          name
          createdAt
        }
      }
      pageInfo {
        startCursor
        endCursor
        hasPreviousPage
        hasNextPage
      }
    }
  }
`;

export const SEGMENTS = gql`
  query Segments(
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: SegmentFilter
    $sortKey: SegmentSortKey
    $reverse: Boolean
  ) {
    ...List
  }
  ${LIST}
`;

export const CREATE = gql`
  mutation CreateSegments(
    $input: CreateSegmentsInput!
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: SegmentFilter
    $sortKey: SegmentSortKey
    $reverse: Boolean
  ) {
    createSegments(input: $input) {
      userErrors {
        message
      }
      query {
        ...List
      }
    }
  }
  ${LIST}
`;

export const DELETE = gql`
  mutation DeleteSegments(
    $input: DeleteSegmentsInput!
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: SegmentFilter
    $sortKey: SegmentSortKey
    $reverse: Boolean
  ) {
    deleteSegments(input: $input) {
      deletedSegmentIds
      userErrors {
        message
      }
      query {
        ...List
      }
    }
  }
  ${LIST}
`;

export const DETAILS = gql`
  query Details($id: ID!) {
    node(id: $id) {
      ...Details
    }
  }

  fragment Details on Node {
    id
    ... on Segment {
      description
      shopperProfiles {
        totalCount
      }
    }
  }
`;
