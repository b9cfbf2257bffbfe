import { Environment, Network, ROOT_ID } from "relay-runtime";

const network = Network.create(async ({ text }, variables) => {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
    body: JSON.stringify({ query: text, variables }),
  });
  if (!response.headers.get("Content-Type")?.includes("json")) throw new Error(`Status ${response.status}`);
  const answer = await response.json();
  // Relay drops errors beside data. That of a root field leaves nothing to show; below it, components meet a null.
  const failed = answer.errors?.find(({ path = [] }) => path.length < 2);
  if (failed) throw new Error(failed.message);
  return answer;
});

export const environment = new Environment({
  network,
  // The `query` of a mutation's payload is the root, so that its `segmentsCount` is the one that is shown.
  getDataID: (object, type) => (type === "Query" ? ROOT_ID : object.id),
});
