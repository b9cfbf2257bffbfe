import { gql } from "urql";

const PAGE = gql`
  fragment Page on SegmentConnection {
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
    segmentsCount(filter: $filter)
    segments(
      first: $first
      after: $after
      last: $last
      before: $before
      filter: $filter
      sortKey: $sortKey
      reverse: $reverse
    ) {
      ...Page
    }
  }
  ${PAGE}
`;

// The list read again: its first page, with the arguments that it is shown by, and all rows as one page.
const LIST = gql`
  fragment List on Query {
    segmentsCount(filter: $filter)
    segments(first: $first, after: $after, filter: $filter, sortKey: $sortKey, reverse: $reverse) {
      ...Page
    }
    shown: segments(
      first: $shown
      after: $after
      filter: $filter
      sortKey: $sortKey
      reverse: $reverse
    ) {
      ...Page
    }
  }
  ${PAGE}
`;

export const REFETCH = gql`
  query Refetch(
    $first: Int
    $shown: Int
    $after: String
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
    $shown: Int
    $after: String
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
    $shown: Int
    $after: String
    $filter: SegmentFilter
    $sortKey: SegmentSortKey
    $reverse: Boolean
  ) {
    deleteSegments(input: $input) {
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
