// Made from the schema by `make kits`.
import { relayPagination } from "@urql/exchange-graphcache/extras";

// The page before the first one that was read goes in front of it.
const pages = relayPagination({ mergeMode: "outwards" });

// For `cacheExchange({ schema, ...graphcache })`, with schema.json as `schema`.
export const graphcache = {
  keys: {
    ShopperProfile: ({ entityId }) => entityId,
  },
  resolvers: {
    Segment: { shopperProfiles: pages },
    Customer: { segments: pages },
    Query: { shopperProfiles: pages, segments: pages },
  },
};
