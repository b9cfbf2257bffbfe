import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { persistedExchange } from "@urql/exchange-persisted";
import { graphcache } from "../../kits/graphcache.js";
import schema from "../../kits/schema.json";

export const PAGE = 20;
export const MOST = 250; // The most rows that the gateway sends in a page.

const isSame = (left, right) => (left ?? null) === (right ?? null);
const isOfList = (one, other) =>
  ["sortKey", "reverse"].every((name) => isSame(one[name], other[name])) &&
  isSame(one.filter?.nameContains, other.filter?.nameContains);

// A page of more than PAGE rows is a list that was read again, by a refetch or a mutation. Of all that Graphcache has of
// segments, it leaves the first page of that list; the rest is read when it is shown.
function dropOthers(_query, list, cache) {
  if (!(list.first > PAGE)) return;
  for (const { fieldKey, fieldName, arguments: page } of cache.inspectFields("Query")) {
    if (fieldName !== "segments") continue;
    const isLeft =
      isOfList(page, list) && isSame(page.after, list.after) && [PAGE, list.first].includes(page.first);
    if (!isLeft) cache.invalidate("Query", fieldKey);
  }
}

export const client = new Client({
  url: "/graphql",
  // Browsers keep answers to GET: "no-cache" makes them ask whether theirs is right, so that a refetch shows what the
  // gateway has.
  fetchOptions: { cache: "no-cache" },
  exchanges: [
    cacheExchange({ schema, ...graphcache, updates: { Query: { segments: dropOthers } } }),
    // A query is sent as its hash, by GET.
    persistedExchange({ preferGetForPersistedQueries: true }),
    fetchExchange,
  ],
});
