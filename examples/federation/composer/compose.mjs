// Composes the subgraphs that a rover-style YAML file names:
// node compose.mjs [subgraphs.yaml [supergraph.graphql]], "-" writes to the standard output.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { composeServices, compositionHasErrors } from "@theguild/federation-composition";
import { parse as parseGraphQL } from "graphql";
import { parse as parseYAML } from "yaml";

const example = dirname(dirname(fileURLToPath(import.meta.url)));
const [source = resolve(example, "subgraphs.yaml"), target = resolve(example, "supergraph.graphql")] =
  process.argv.slice(2);

const { subgraphs } = parseYAML(readFileSync(source, "utf8"));
const result = composeServices(
  Object.entries(subgraphs).map(([name, { routing_url: url, schema }]) => ({
    name,
    url,
    typeDefs: parseGraphQL(readFileSync(resolve(dirname(source), schema.file), "utf8")),
  })),
);

if (compositionHasErrors(result)) {
  for (const error of result.errors) {
    console.error(`${error.extensions?.code}: ${error.message}`);
  }
  process.exitCode = 1;
} else {
  writeFileSync(target === "-" ? 1 : target, `${result.supergraphSdl.trim()}\n`);
}
