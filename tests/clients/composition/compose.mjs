// Reads {subgraphs: [{name, url, sdl}], contract: null | {include, exclude}} as JSON on standard input,
// and prints what each composer makes of it: {errors, hints, supergraph, api}.
import { readFileSync } from "node:fs";
import * as apollo from "@apollo/composition";
import * as guild from "@theguild/federation-composition";
import { parse, printSchema } from "graphql";

const { subgraphs, contract } = JSON.parse(readFileSync(0, "utf8"));
const services = subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));

const errorsOf = ({ errors = [] }) => errors.map(({ message, extensions }) => ({ code: extensions.code, message }));

function byApollo() {
  const result = apollo.composeServices(services);
  return {
    errors: errorsOf(result),
    hints: (result.hints ?? []).map(({ definition, message }) => ({
      code: definition.code,
      message,
      level: definition.level.name,
    })),
    supergraph: result.supergraphSdl ?? null,
    api: result.errors ? null : printSchema(result.schema.toAPISchema().toGraphQLJSSchema()),
  };
}

// The Guild's composer gives no hints.
function byTheGuild() {
  const result = contract
    ? guild.composeSchemaContract(
        services,
        { include: new Set(contract.include), exclude: new Set(contract.exclude) },
        true,
      )
    : guild.composeServices(services);
  return {
    errors: errorsOf(result),
    hints: [],
    supergraph: result.supergraphSdl ?? null,
    api: result.publicSdl ?? null,
  };
}

// Apollo makes contracts in GraphOS, not in its composer.
console.log(JSON.stringify(contract ? { guild: byTheGuild() } : { apollo: byApollo(), guild: byTheGuild() }));
