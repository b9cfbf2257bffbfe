// Reads {before, after}, two schemas, as JSON on standard input, and prints what changed between them.
import { readFileSync } from "node:fs";
import { diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const { before, after } = JSON.parse(readFileSync(0, "utf8"));

// A subgraph's schema bears directives that it does not define: its composer does.
const schemaOf = (sdl) => buildSchema(sdl, { assumeValidSDL: true });

const changes = await diff(schemaOf(before), schemaOf(after));
console.log(
  JSON.stringify(
    changes.map(({ criticality, path, message }) => ({
      criticality: criticality.level,
      coordinate: path ?? "schema",
      message,
    })),
  ),
);
