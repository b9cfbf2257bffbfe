import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { createPersistedQueryLink } from "@apollo/client/link/persisted-queries";
import possibleTypes from "../../kits/possibleTypes.json";
import { typePolicies } from "../../kits/typePolicies.js";

// crypto.subtle is there on https:// and on localhost.
async function sha256(text) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A query is sent as its hash, by GET. Browsers keep answers to GET: "no-cache" makes them ask whether theirs is right,
// so that a refetch shows what the gateway has.
const persistedQueries = createPersistedQueryLink({ sha256, useGETForHashedQueries: true });
const http = new HttpLink({ uri: "/graphql", fetchOptions: { cache: "no-cache" } });

// Rows that the store sent are shown beside the error of those that it did not send.
const errorPolicy = "all";

export const client = new ApolloClient({
  link: persistedQueries.concat(http),
  cache: new InMemoryCache({ possibleTypes, typePolicies }),
  defaultOptions: { watchQuery: { errorPolicy }, query: { errorPolicy }, mutate: { errorPolicy } },
});
