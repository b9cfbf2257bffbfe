import { graphql, useFragment, useMutation } from "react-relay";

export default function SegmentRow({ segment, link, onOpen }) {
  const { id, name, createdAt } = useFragment(
    graphql`
      fragment SegmentRow_segment on Segment {
        id
        name
        createdAt
      }
    `,
    segment,
  );
  const [commit, isInFlight] = useMutation(graphql`
    mutation SegmentRowDeleteMutation($input: DeleteSegmentsInput!) {
      deleteSegments(input: $input) {
        deletedSegmentIds @deleteRecord
        userErrors {
          message
        }
        query {
          segmentsCount
        }
      }
    }
  `);

  function remove() {
    commit({
      variables: { input: { ids: [id] } },
      onCompleted: ({ deleteSegments }, errors) => {
        const failed = errors ?? deleteSegments.userErrors;
        if (failed.length) alert(failed[0].message);
      },
      onError: (error) => alert(error.message),
    });
  }

  return (
    <li>
      <button className="link name" onClick={onOpen}>
        {name}
      </button>
      <time dateTime={createdAt}>{createdAt?.slice(0, 10)}</time>
      <a href={link} title="Open the list behind this row">
        from here
      </a>
      <button disabled={isInFlight} onClick={remove}>
        Delete
      </button>
    </li>
  );
}
