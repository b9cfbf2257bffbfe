// Reads {url, rows: [selection]} as JSON on standard input, pages through the segments seven by seven with Apollo's
// relayStylePagination, and prints {client: [{pages, nodes, edges}]}: what the cache has after the last page.
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { APOLLO } from "./clients.mjs";

const { url, rows } = JSON.parse(readFileSync(0, "utf8"));

async function walk({ ApolloClient, HttpLink, InMemoryCache, gql, relayStylePagination }, selection) {
  const client = new ApolloClient({
    link: new HttpLink({ uri: url }),
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { segments: relayStylePagination() } } } }),
  });
  const page = gql(`query Page($after: String) {
    segments(first: 7, after: $after) { ${selection} pageInfo { hasNextPage endCursor } }
  }`);
  const query = client.watchQuery({ query: page });
  const watched = query.subscribe({});
  let pages = 0;
  let segments;
  do {
    if (pages === 0) await client.query({ query: page });
    else await query.fetchMore({ variables: { after: segments.pageInfo.endCursor } });
    await setTimeout(0); // Apollo tells watchers of new rows in the next turn.
    segments = query.getCurrentResult().data.segments;
    pages += 1;
  } while (segments.pageInfo.hasNextPage && pages < 100);
  watched.unsubscribe();
  return { pages, nodes: segments.nodes?.length ?? null, edges: segments.edges?.length ?? null };
}

const seen = {};
for (const [name, apollo] of Object.entries(APOLLO)) {
  seen[name] = [];
  for (const selection of rows) seen[name].push(await walk(apollo, selection));
}
console.log(JSON.stringify(seen));
process.exit(0);
