import { useState } from "react";
import { useClient, useMutation, useQuery } from "urql";
import { MOST, PAGE } from "./client.js";
import { CREATE, DELETE, DETAILS, REFETCH, SEGMENTS } from "./documents.js";

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

// The errors of the answer, or that there was none.
function errorsOf(error) {
  if (!error) return [];
  return error.graphQLErrors.length > 0 ? error.graphQLErrors : [error];
}

export function Segments() {
  const client = useClient();
  const [view, setView] = useState(viewOfAddress);
  const [isLoading, setLoading] = useState(false);
  const [failure, setFailure] = useState();
  const { sortKey, reverse } = ORDERS[view.order];
  const list = { sortKey, reverse, filter: view.search ? { nameContains: view.search } : null };
  const start = { ...list, first: PAGE, after: view.after };

  const [{ data, error, fetching }] = useQuery({ query: SEGMENTS, variables: start });
  const [created, create] = useMutation(CREATE);
  const [removed, remove] = useMutation(DELETE);

  const { segments, segmentsCount } = data ?? {};
  const { edges = [], pageInfo = {} } = segments ?? {};
  // relayPagination has the start of pages that were read backward: what starts behind a row has rows before it.
  const { startCursor = edges[0]?.cursor, hasPreviousPage } = pageInfo.startCursor
    ? pageInfo
    : { hasPreviousPage: view.after !== null };
  const failures = [
    ...[error, failure, created.error, removed.error].flatMap(errorsOf),
    ...(created.data?.createSegments?.userErrors ?? []),
    ...(removed.data?.deleteSegments?.userErrors ?? []),
  ];

  // A cursor is one of its order: another order starts with its first row.
  const show = (change) => setView({ ...view, after: null, ...change });

  // Graphcache adds what is read to the list that is shown.
  async function load(query, variables) {
    setLoading(true);
    const { error } = await client.query(query, variables, { requestPolicy: "network-only" });
    setFailure(error);
    setLoading(false);
  }
  // All rows that are shown, and one more.
  const shownRows = { ...start, shown: Math.min(Math.max(edges.length, PAGE) + 1, MOST) };
  const loadNext = () => load(SEGMENTS, { ...list, first: PAGE, after: pageInfo.endCursor });
  const loadPrevious = () => load(SEGMENTS, { ...list, last: PAGE, before: startCursor });

  async function submit(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const input = { segments: [{ name: new FormData(form).get("name") }] };
    const { data } = await create({ ...shownRows, input });
    if (data?.createSegments?.userErrors.length === 0) form.reset();
  }

  return (
    <main aria-busy={fetching || isLoading || created.fetching || removed.fetching}>
      <h1>Segments{segmentsCount != null && `: ${segmentsCount}`}</h1>
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
        <button type="button" onClick={() => load(REFETCH, shownRows)}>
          Refetch
        </button>
      </form>
      <form onSubmit={submit}>
        <input name="name" aria-label="Name of a new segment" placeholder="Name" required />
        <button disabled={!segments || created.fetching}>Create</button>
      </form>
      {failures.map(({ message }, index) => (
        <p role="alert" key={index}>
          {message}
        </p>
      ))}
      {hasPreviousPage && <button onClick={loadPrevious}>Load previous</button>}
      <ol>
        {edges.map(({ cursor, node }) =>
          node ? (
            <Row
              key={node.id}
              segment={node}
              link={`?order=${view.order}&after=${encodeURIComponent(cursor)}`}
              onDelete={() => remove({ ...shownRows, input: { ids: [node.id] } })}
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
  const [{ data, error }] = useQuery({ query: DETAILS, variables: { id } });
  return (
    <div>
      {errorsOf(error).map(({ message }, index) => (
        <p role="alert" key={index}>
          {message}
        </p>
      ))}
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
