// Reads {url, accept} as JSON on standard input, asks two queries with the persisted queries of each client,
// by POST and by GET, and prints {client and method: {sent, totals}}: the requests, and the answers' totals.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { APOLLO, recordingFetch } from "./clients.mjs";

const { url, accept } = JSON.parse(readFileSync(0, "utf8"));
const headers = accept ? { accept } : {};
const QUERIES = ["query First { segments { totalCount } }", "query Second { segments(first: 1) { totalCount } }"];
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

async function run(ask) {
  const totals = [];
  for (const query of QUERIES) totals.push((await ask(query))?.segments.totalCount ?? null);
  return totals;
}

const seen = {};
for (const byGet of [false, true]) {
  const method = byGet ? "GET" : "POST";
  for (const [name, { ApolloClient, HttpLink, InMemoryCache, createPersistedQueryLink, gql }] of Object.entries(APOLLO)) {
    const sent = [];
    const client = new ApolloClient({
      link: createPersistedQueryLink({ sha256, useGETForHashedQueries: byGet }).concat(
        new HttpLink({ uri: url, fetch: recordingFetch(sent), headers }),
      ),
      cache: new InMemoryCache(),
    });
    const ask = (query) =>
      client.query({ query: gql(query) }).then(
        ({ data }) => data,
        () => null,
      );
    seen[`${name}, ${method}`] = { totals: await run(ask), sent };
  }
  const sent = [];
  const client = new Client({
    url,
    fetch: recordingFetch(sent),
    fetchOptions: { headers },
    preferGetMethod: byGet,
    exchanges: [persistedExchange({ preferGetForPersistedQueries: byGet }), fetchExchange],
  });
  const ask = async (query) => (await client.query(query, {}).toPromise()).data;
  seen[`urql, ${method}`] = { totals: await run(ask), sent };
}
console.log(JSON.stringify(seen));
