// Reads {url, client, documents, config, name, customer} as JSON on standard input, and prints what `drive` sees
// with one version of Apollo Client; `config` is a snippet that declares `typePolicies`.
import { readFileSync } from "node:fs";
import { APOLLO, namingFetch } from "./clients.mjs";
import { FIRST, declared, drive, operations } from "./lists.mjs";

const question = JSON.parse(readFileSync(0, "utf8"));
const { ApolloClient, HttpLink, InMemoryCache, relayStylePagination } = APOLLO[question.client];
const documents = operations(question.documents);

const sent = [];
const client = new ApolloClient({
  link: new HttpLink({ uri: question.url, fetch: namingFetch(sent) }),
  cache: new InMemoryCache({ typePolicies: declared("typePolicies", question.config, { relayStylePagination }) }),
});

async function watched(query, variables) {
  const watching = client.watchQuery({ query, variables });
  watching.subscribe({});
  await client.query({ query, variables });
  return watching;
}

let segments;
let members;
const list = () => segments.getCurrentResult().data;
const seen = await drive(
  {
    list,
    members: () => members?.getCurrentResult().data.segment.shopperProfiles,
    load: async () => (segments = await watched(documents.Segments, { first: FIRST })),
    more: () => segments.fetchMore({ variables: { after: list().segments.pageInfo.endCursor } }),
    loadMembers: async (segment) => (members = await watched(documents.Members, { segment })),
    mutate: (operation, input) =>
      client.mutate({
        mutation: documents[operation],
        variables: operation === "AddCustomers" ? { input } : { input, first: list().segments.edges.length + 1 },
      }),
  },
  sent,
  question,
);
console.log(JSON.stringify(seen));
process.exit(0);
