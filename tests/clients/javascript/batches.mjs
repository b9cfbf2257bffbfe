// Reads {url} as JSON on standard input, asks two queries together with the batching option of each client, and prints
// {client: {sent, errors}}: the requests, and what each of the two queries' callers sees.
import { readFileSync } from "node:fs";
import { GraphQLClient } from "graphql-request";
import { APOLLO, recordingFetch } from "./clients.mjs";

const { url } = JSON.parse(readFileSync(0, "utf8"));
const QUERIES = ["{ segments { totalCount } }", "{ segments(first: 1) { totalCount } }"];

const errorsOf = async (answers) => (await Promise.allSettled(answers)).map(({ reason }) => reason?.message ?? null);

const seen = {};
for (const [name, { ApolloClient, BatchHttpLink, InMemoryCache, gql }] of Object.entries(APOLLO)) {
  const sent = [];
  const link = new BatchHttpLink({ uri: url, fetch: recordingFetch(sent) });
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  seen[name] = { errors: await errorsOf(QUERIES.map((query) => client.query({ query: gql(query) }))), sent };
}
const sent = [];
const client = new GraphQLClient(url, { fetch: recordingFetch(sent) });
const errors = await errorsOf([client.batchRequests(QUERIES.map((document) => ({ document })))]);
seen["graphql-request"] = { errors: errors.map((message) => message?.split(": {")[0]), sent };
console.log(JSON.stringify(seen));
