// Apollo Gateway behind Apollo Server: node server.mjs [supergraph.graphql]. Listens on loopback,
// unless HOST says otherwise.
import { readFileSync } from "node:fs";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import {
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from "@apollo/server/plugin/disabled";
import { startStandaloneServer } from "@apollo/server/standalone";

process.env.APOLLO_TELEMETRY_DISABLED = "true"; // metrics of the gateway, on by default

class Subgraph extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    for (const [name, value] of Object.entries(context.headers ?? {})) {
      request.http.headers.set(name, value);
    }
    // The segments need no credentials of the client: the store's token is the subgraph's own.
    if (this.name === "segments") request.http.headers.delete("authorization");
  }
}

const supergraph = process.argv[2] ?? new URL("../../supergraph.graphql", import.meta.url);
const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(supergraph, "utf8"),
  // Where the subgraphs are, if not where the supergraph says.
  buildService: ({ name, url }) =>
    new Subgraph({
      name,
      url: process.env[`${name.toUpperCase()}_URL`] || url,
      // The gateway stores documents by their hash; the other subgraphs do not.
      apq: name === "segments" && process.env.SEGMENTS_APQ === "true",
    }),
});

const server = new ApolloServer({
  gateway,
  includeStacktraceInErrorResponses: false,
  plugins: [
    ApolloServerPluginLandingPageDisabled(),
    ApolloServerPluginSchemaReportingDisabled(),
    ApolloServerPluginUsageReportingDisabled(),
  ],
});

const { url } = await startStandaloneServer(server, {
  listen: { host: process.env.HOST || "127.0.0.1", port: Number(process.env.PORT || 4000) },
  context: async ({ req }) => {
    const { authorization, "x-request-id": requestId } = req.headers;
    return {
      headers: {
        ...(authorization && { authorization }),
        ...(requestId && { "x-request-id": requestId }),
      },
    };
  },
});
console.log(`listening on ${url}`);
