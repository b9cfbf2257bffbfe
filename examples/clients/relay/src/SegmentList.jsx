import { useState, useTransition } from "react";
import { graphql, usePaginationFragment } from "react-relay";
import CreateSegment from "./CreateSegment.jsx";
import SegmentRow from "./SegmentRow.jsx";

const ORDERS = {
  "Newest first": { sortKey: "CREATED_AT", reverse: true },
  "Oldest first": { sortKey: "CREATED_AT", reverse: false },
  "By name": { sortKey: "NAME", reverse: false },
  "As in the store": { sortKey: "STORE_ORDER", reverse: false },
};

const nameOf = ({ sortKey, reverse }) =>
  Object.keys(ORDERS).find((name) => ORDERS[name].sortKey === sortKey && ORDERS[name].reverse === reverse);

// `first` has no default: `loadPrevious` would send it beside `last`, and get the wrong page.
export default function SegmentList({ query, start, onOpen }) {
  const { data, loadNext, loadPrevious, hasNext, hasPrevious, isLoadingNext, isLoadingPrevious, refetch } =
    usePaginationFragment(
      graphql`
        fragment SegmentList_query on Query
        @refetchable(queryName: "SegmentListQuery")
        @argumentDefinitions(
          first: { type: "Int" }
          after: { type: "String" }
          last: { type: "Int" }
          before: { type: "String" }
          sortKey: { type: "SegmentSortKey" }
          reverse: { type: "Boolean" }
        ) {
          segments(
            first: $first
            after: $after
            last: $last
            before: $before
            sortKey: $sortKey
            reverse: $reverse
          ) @connection(key: "SegmentList_segments") {
            __id
            edges {
              cursor
              node {
                id
                ...SegmentRow_segment
              }
            }
          }
        }
      `,
      query,
    );
  const [order, setOrder] = useState(nameOf(start));
  const [size, setSize] = useState(start.first);
  const [isPending, startTransition] = useTransition();

  // Another order or size starts the list anew, without the cursor that the page was opened with.
  function reload(newOrder, newSize) {
    setOrder(newOrder);
    setSize(newSize);
    startTransition(() => {
      refetch({ ...ORDERS[newOrder], first: newSize, after: null, last: null, before: null });
    });
  }

  const { __id: list, edges } = data.segments;
  const { sortKey, reverse } = ORDERS[order];
  return (
    <>
      <form className="bar">
        <label>
          Order{" "}
          <select name="order" value={order} onChange={(event) => reload(event.target.value, size)}>
            {Object.keys(ORDERS).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Rows{" "}
          <select name="size" value={size} onChange={(event) => reload(order, Number(event.target.value))}>
            {[10, 25, 100].map((count) => (
              <option key={count}>{count}</option>
            ))}
          </select>
        </label>
      </form>
      <CreateSegment lists={[list]} />
      {hasPrevious && (
        <button disabled={isLoadingPrevious} onClick={() => loadPrevious(size)}>
          Load previous
        </button>
      )}
      <ul aria-busy={isPending}>
        {edges
          .filter(({ node }) => node) // A deleted segment is null.
          .map(({ cursor, node }) => (
            <SegmentRow
              key={node.id}
              segment={node}
              // A new segment has no cursor yet.
              link={cursor && `?${new URLSearchParams({ after: cursor, sortKey, reverse })}`}
              onOpen={() => onOpen(node.id)}
            />
          ))}
      </ul>
      {hasNext && (
        <button disabled={isLoadingNext} onClick={() => loadNext(size)}>
          Load next
        </button>
      )}
    </>
  );
}
