// Reads {url, ids} as JSON on standard input. Each client asks for the document of each id by the id alone, as it does
// with trusted documents; prints {client: [totalCount, or the error's message]}.
import { readFileSync } from "node:fs";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import relay from "relay-runtime";
import { APOLLO } from "./clients.mjs";

const { url, ids } = JSON.parse(readFileSync(0, "utf8"));
const QUERY = "query Total { segments { totalCount } }";
const totalOf = (data) => data.segments.totalCount;

const seen = {};
for (const [name, { ApolloClient, HttpLink, InMemoryCache, createPersistedQueryLink, gql }] of Object.entries(APOLLO)) {
  seen[name] = [];
  for (const id of ids) {
    const client = new ApolloClient({
      // As `generatePersistedQueryIdsFromManifest` of @apollo/persisted-query-lists, with the id at hand.
      link: createPersistedQueryLink({ generateHash: () => id, retry: () => false }).concat(new HttpLink({ uri: url })),
      cache: new InMemoryCache(),
    });
    const asked = client.query({ query: gql(QUERY) });
    seen[name].push(await asked.then(({ data }) => totalOf(data), ({ message }) => message));
  }
}

seen.urql = [];
for (const id of ids) {
  const exchange = persistedExchange({ enforcePersistedQueries: true, generateHash: async () => id });
  const client = new Client({ url, exchanges: [exchange, fetchExchange] });
  const { data, error } = await client.query(QUERY, {}).toPromise();
  seen.urql.push(data ? totalOf(data) : error.message);
}

// What Relay's compiler writes with `persistConfig`: `id`, and no `text`.
const field = { alias: null, args: null, storageKey: null };
const selections = [
  {
    ...field,
    concreteType: "SegmentConnection",
    kind: "LinkedField",
    name: "segments",
    plural: false,
    selections: [{ ...field, kind: "ScalarField", name: "totalCount" }],
  },
];
const artifact = (id) => ({
  kind: "Request",
  fragment: { argumentDefinitions: [], kind: "Fragment", metadata: null, name: "Total", selections, type: "Query" },
  operation: { argumentDefinitions: [], kind: "Operation", name: "Total", selections },
  params: { id, metadata: {}, name: "Total", operationKind: "query", text: null },
});
for (const [name, send] of Object.entries({
  "Relay, in the body": ({ id, text }, variables) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ documentId: id, query: text, variables }),
    }),
  "Relay, in the path": ({ id }, variables) =>
    fetch(`${url}/${encodeURIComponent(id)}?${new URLSearchParams({ variables: JSON.stringify(variables) })}`),
})) {
  seen[name] = [];
  for (const id of ids) {
    const environment = new relay.Environment({
      network: relay.Network.create(async (params, variables) => (await send(params, variables)).json()),
      store: new relay.Store(new relay.RecordSource()),
    });
    const asked = relay.fetchQuery(environment, artifact(id), {}).toPromise();
    seen[name].push(await asked.then(totalOf, ({ source, message }) => source?.errors[0].message ?? message));
  }
}
console.log(JSON.stringify(seen));
