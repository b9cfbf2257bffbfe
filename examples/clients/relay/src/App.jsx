import { Suspense, useState } from "react";
import { graphql, useLazyLoadQuery } from "react-relay";
import SegmentDetail from "./SegmentDetail.jsx";
import SegmentList from "./SegmentList.jsx";

// The address says where the list starts: behind the row of a cursor, in the order to which the cursor belongs.
const address = new URLSearchParams(location.search);
const start = {
  first: 10,
  after: address.get("after"),
  sortKey: address.get("sortKey") ?? "CREATED_AT",
  reverse: address.get("reverse") !== "false",
};

export default function App() {
  const [open, setOpen] = useState(null);
  const query = useLazyLoadQuery(
    graphql`
      query AppQuery($first: Int!, $after: String, $sortKey: SegmentSortKey!, $reverse: Boolean!) {
        segmentsCount
        ...SegmentList_query @arguments(first: $first, after: $after, sortKey: $sortKey, reverse: $reverse)
      }
    `,
    start,
  );
  return (
    <main>
      <h1>
        Segments <small id="count">{query.segmentsCount}</small>
      </h1>
      <SegmentList query={query} start={start} onOpen={setOpen} />
      {open && (
        <Suspense fallback={<aside>Loading …</aside>}>
          <SegmentDetail id={open} onClose={() => setOpen(null)} />
        </Suspense>
      )}
    </main>
  );
}
