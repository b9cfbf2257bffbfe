// Reads {url, accept} as JSON on standard input, asks two queries twice with the persisted queries of each client,
// by POST and by GET, and prints {client and method: {sent, totals}}: the requests, and the answers' totals.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { APOLLO, recordingFetch } from "./clients.mjs";

const { url, accept } = JSON.parse(readFileSync(0, "utf8"));
const headers = accept ? { accept } : {};
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

// The documents of each run are its own, so that no other run has stored them.
let runs = 0;
async function run(ask) {
  const name = `Run${++runs}${accept ? "WithAccept" : ""}`;
  const totals = [];
  for (const field of ["segments", "segments(first: 1)"])
    for (let times = 0; times < 2; times++)
      totals.push((await ask(`query ${name} { ${field} { totalCount } }`))?.segments.totalCount ?? null);
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
      client.query({ query: gql(query), fetchPolicy: "no-cache" }).then(
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
