import { Environment, Network, ROOT_ID } from "relay-runtime";

const network = Network.create(async ({ text }, variables) => {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
    body: JSON.stringify({ query: text, variables }),
  });
  return response.json();
});

export const environment = new Environment({
  network,
  // The `query` of a mutation's payload is the root, so that its `segmentsCount` is the one that is shown.
  getDataID: (object, type) => (type === "Query" ? ROOT_ID : object.id),
});
