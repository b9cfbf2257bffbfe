import { useMutation, useQuery } from "@apollo/client/react";
import { useState } from "react";
import { CREATE, DELETE, DETAILS, SEGMENTS } from "./documents.js";

const PAGE = 20;
const MOST = 250; // The most rows that the gateway sends in a page.

const ORDERS = {
  store: { label: "Store's order", sortKey: "STORE_ORDER", reverse: false },
  name: { label: "Name", sortKey: "NAME", reverse: false },
  newest: { label: "Newest first", sortKey: "CREATED_AT", reverse: true },
};

// The address may name an order and a row of it: the list starts behind that row.
function viewOfAddress() {
  const address = new URLSearchParams(location.search);
  return { order: address.get("order") ?? "store", after: address.get("after"), search: "" };
}

// The variables that read all shown rows again, and one more for each row that is new. If there are rows before them,
// the first one stays, and those behind it are read: relayStylePagination joins them by its cursor.
function shownRows({ edges, pageInfo }, created = 0) {
  const rows = edges.length + created;
  return pageInfo.hasPreviousPage
    ? { first: Math.min(rows - 1, MOST), after: pageInfo.startCursor }
    : { first: Math.min(rows, MOST), after: null };
}

// The payload of a mutation has the list that is shown. The other lists are dropped, and read when they are shown: a new
// segment may be in any of them. A segment that is gone is in none.
function forgetOthers(cache, { data }, { variables: { filter, sortKey, reverse } }) {
  const shown = `segments:${JSON.stringify({ filter, sortKey, reverse })}`;
  cache.modify({
    fields: {
      segments: (list, { storeFieldName, DELETE }) => (storeFieldName === shown ? list : DELETE),
    },
  });
  for (const id of data?.deleteSegments?.deletedSegmentIds ?? [])
    cache.evict({ id: cache.identify({ __typename: "Segment", id }) });
}

export function Segments() {
  const [view, setView] = useState(viewOfAddress);
  const { sortKey, reverse } = ORDERS[view.order];
  const list = { sortKey, reverse, filter: view.search ? { nameContains: view.search } : null };

  const { data, previousData, error, loading, fetchMore, refetch } = useQuery(SEGMENTS, {
    variables: { ...list, first: PAGE, after: view.after },
  });
  const [failure, setFailure] = useState();
  const [create, created] = useMutation(CREATE, { update: forgetOthers });
  const [remove, removed] = useMutation(DELETE, { update: forgetOthers });

  const { segments } = data ?? previousData ?? {};
  const { edges = [], pageInfo = {}, totalCount } = segments ?? {};
  const failures = [
    ...[error, failure, created.error, removed.error].filter(Boolean),
    ...(created.data?.createSegments?.userErrors ?? []),
    ...(removed.data?.deleteSegments?.userErrors ?? []),
  ];

  // A cursor is one of its order: another order starts with its first row.
  const show = (change) => setView({ ...view, after: null, ...change });
  // What fetchMore could not read is no error of the list that is shown.
  const load = (variables) =>
    fetchMore({ variables }).then(({ error }) => setFailure(error), setFailure);
  const loadNext = () => load({ first: PAGE, after: pageInfo.endCursor });
  const loadPrevious = () =>
    load({ first: null, after: null, last: PAGE, before: pageInfo.startCursor });

  async function submit(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const input = { segments: [{ name: new FormData(form).get("name") }] };
    const { data } = await create({ variables: { ...list, ...shownRows(segments, 1), input } });
    if (data?.createSegments?.userErrors.length === 0) form.reset();
  }

  return (
    <main aria-busy={loading || created.loading || removed.loading}>
      <h1>Segments{totalCount != null && `: ${totalCount}`}</h1>
      <form onSubmit={(event) => event.preventDefault()}>
        <select
          aria-label="Order"
          value={view.order}
          onChange={({ target }) => show({ order: target.value })}
        >
          {Object.entries(ORDERS).map(([key, { label }]) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
        <input
          aria-label="Part of the name"
          placeholder="Part of the name"
          value={view.search}
          onChange={({ target }) => show({ search: target.value })}
        />
        <button type="button" onClick={() => refetch({ first: Math.max(edges.length, PAGE) })}>
          Refetch
        </button>
      </form>
      <form onSubmit={submit}>
        <input name="name" aria-label="Name of a new segment" placeholder="Name" required />
        <button disabled={!segments || created.loading}>Create</button>
      </form>
      {failures.map(({ message }, index) => (
        <p role="alert" key={index}>
          {message}
        </p>
      ))}
      {pageInfo.hasPreviousPage && <button onClick={loadPrevious}>Load previous</button>}
      <ol>
        {edges.map(({ cursor, node }) =>
          node ? (
            <Row
              key={node.id}
              segment={node}
              link={`?order=${view.order}&after=${encodeURIComponent(cursor)}`}
              onDelete={() =>
                remove({ variables: { ...list, ...shownRows(segments), input: { ids: [node.id] } } })
              }
            />
          ) : (
            <li key={cursor}>This segment could not be read.</li>
          ),
        )}
      </ol>
      {pageInfo.hasNextPage && <button onClick={loadNext}>Load next</button>}
    </main>
  );
}

function Row({ segment, link, onDelete }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li>
      <button className="plain" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {segment.name ?? "Without a name"}
      </button>
      <a href={link} title="The list from here on">
        <time dateTime={segment.createdAt}>{segment.createdAt?.slice(0, 10)}</time>
      </a>
      <button onClick={onDelete}>Delete</button>
      {isOpen && <Details id={segment.id} />}
    </li>
  );
}

function Details({ id }) {
  const { data, error } = useQuery(DETAILS, { variables: { id } });
  return (
    <div>
      {error && <p role="alert">{error.message}</p>}
      {data?.node && (
        <dl>
          <dt>Members</dt>
          <dd>{data.node.shopperProfiles?.totalCount ?? "unknown"}</dd>
          <dt>Description</dt>
          <dd>{data.node.description}</dd>
        </dl>
      )}
    </div>
  );
}
