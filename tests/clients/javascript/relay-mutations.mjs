// Reads {url, documents, config, schema, name, customer} as JSON on standard input, compiles the documents with Relay's
// compiler, and prints what `drive` sees with Relay; `config` is a snippet that declares `environment`, `schema` the text
// of the schema.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, print } from "graphql";
import compiler from "relay-compiler";
import relay from "relay-runtime";
import { FIRST, declared, drive } from "./lists.mjs";

const question = JSON.parse(readFileSync(0, "utf8"));

// {name: artifact} of the operations of a text, as the compiler writes them for an app.
function compiled(text, schema) {
  const folder = mkdtempSync(join(tmpdir(), "relay-"));
  try {
    const { definitions } = parse(text);
    const config = { src: ".", schema: "schema.graphql", language: "javascript", eagerEsModules: false };
    writeFileSync(join(folder, "relay.config.json"), JSON.stringify(config));
    writeFileSync(join(folder, "schema.graphql"), schema);
    writeFileSync(join(folder, "lists.js"), definitions.map((one) => `graphql\`${print(one)}\`;`).join("\n"));
    execFileSync(compiler, ["relay.config.json"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    const require = createRequire(join(folder, "__generated__", "artifacts.js"));
    return Object.fromEntries(definitions.map(({ name: { value } }) => [value, require(`./${value}.graphql`)]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const sent = [];
const network = relay.Network.create(async ({ name, text }, variables) => {
  sent.push(name);
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ query: text, variables });
  return (await fetch(question.url, { method: "POST", headers, body })).json();
});
const environment = declared("environment", question.config, { ...relay, network });
const artifacts = compiled(question.documents, question.schema);

const load = (query, variables) => relay.fetchQuery(environment, query, variables).toPromise();
const shown = (query, variables) =>
  environment.lookup(relay.createOperationDescriptor(query, variables).fragment).data;

let segment;
const list = () => shown(artifacts.Segments, { first: FIRST });
const seen = await drive(
  {
    list,
    members: () => segment && shown(artifacts.Members, { segment }).segment.shopperProfiles,
    load: () => load(artifacts.Segments, { first: FIRST }),
    more: () => load(artifacts.Segments, { first: FIRST, after: list().segments.pageInfo.endCursor }),
    loadMembers: (id) => {
      segment = id;
      return load(artifacts.Members, { segment });
    },
    mutate: (operation, input) =>
      new Promise((resolve, reject) => {
        const mutation = artifacts[operation];
        const { edges, __id } = list().segments;
        const possible = { input, lists: [__id], first: edges.length + 1 };
        const taken = mutation.operation.argumentDefinitions.map(({ name }) => name);
        const variables = Object.fromEntries(taken.map((name) => [name, possible[name]]));
        relay.commitMutation(environment, { mutation, variables, onCompleted: resolve, onError: reject });
      }),
  },
  sent,
  question,
);
console.log(JSON.stringify(seen));
