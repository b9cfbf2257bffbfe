// Made from the schema by `make kits`.
import { relayPagination } from "@urql/exchange-graphcache/extras";

// For `cacheExchange({ schema, ...graphcache })`, with schema.json as `schema`.
export const graphcache = {
  keys: {
    ShopperProfile: ({ entityId }) => entityId,
  },
  resolvers: {
    Segment: { shopperProfiles: relayPagination() },
    Customer: { segments: relayPagination() },
    Query: { shopperProfiles: relayPagination(), segments: relayPagination() },
  },
};
