// Hive Gateway, which reads this file by its name. Listens on loopback, unless HOST says otherwise.
const { SEGMENTS_URL, PROMOTIONS_URL, CUSTOMERS_URL, SEGMENTS_APQ } = process.env;

const at = (location) => (location ? { location } : {});

export const gatewayConfig = {
  host: "127.0.0.1",
  // Where the subgraphs are, if not where the supergraph says.
  transportEntries: {
    segments: {
      ...at(SEGMENTS_URL),
      // The gateway stores documents by their hash; the other subgraphs do not.
      ...(SEGMENTS_APQ === "true" && { options: { apq: true } }),
    },
    promotions: at(PROMOTIONS_URL),
    customers: at(CUSTOMERS_URL),
  },
  propagateHeaders: {
    // X-Request-Id goes to every subgraph by itself. The segments need no credentials of the
    // client: the store's token is the subgraph's own.
    fromClientToSubgraphs({ request, subgraphName }) {
      const authorization = request.headers.get("authorization");
      return subgraphName === "segments" || !authorization ? {} : { authorization };
    },
  },
  landingPage: false,
};
