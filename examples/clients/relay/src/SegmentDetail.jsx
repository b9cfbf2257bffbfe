import { useTransition } from "react";
import { graphql, useLazyLoadQuery, useRefetchableFragment } from "react-relay";

export default function SegmentDetail({ id, onClose }) {
  const { node } = useLazyLoadQuery(
    graphql`
      query SegmentDetailQuery($id: ID!) {
        node(id: $id) {
          ...SegmentDetail_segment @alias(as: "segment")
        }
      }
    `,
    { id },
  );
  return (
    <aside>
      <button onClick={onClose}>Close</button>
      {node ? <Segment segment={node.segment} /> : <p>This segment is gone.</p>}
    </aside>
  );
}

function Segment({ segment }) {
  const [isPending, startTransition] = useTransition();
  const [data, refetch] = useRefetchableFragment(
    graphql`
      fragment SegmentDetail_segment on Segment @refetchable(queryName: "SegmentDetailRefetchQuery") {
        name
        description
        updatedAt
        shopperProfiles(first: 5) {
          totalCount
          edges {
            node {
              entityId
              customer {
                email
              }
            }
          }
        }
      }
    `,
    segment,
  );
  const { totalCount, edges } = data.shopperProfiles;
  const refresh = () => startTransition(() => void refetch({}, { fetchPolicy: "network-only" }));
  return (
    <>
      <button disabled={isPending} onClick={refresh}>
        Refresh
      </button>
      <h2>{data.name}</h2>
      <p>{data.description}</p>
      <p>
        Changed <time dateTime={data.updatedAt}>{data.updatedAt?.slice(0, 10)}</time>, {totalCount} shopper profiles
      </p>
      <ul>
        {edges.map(({ node }) => (
          <li key={node.entityId}>{node.customer?.email ?? node.entityId}</li>
        ))}
      </ul>
    </>
  );
}
