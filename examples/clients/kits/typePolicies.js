// Made from the schema by `make kits`.
import { relayStylePagination } from "@apollo/client/utilities";

export const typePolicies = {
  Segment: {
    fields: {
      shopperProfiles: relayStylePagination(),
    },
  },
  ShopperProfile: {
    keyFields: ["entityId"],
  },
  Customer: {
    fields: {
      segments: relayStylePagination(),
    },
  },
  Query: {
    fields: {
      shopperProfiles: relayStylePagination(),
      segments: relayStylePagination(["filter", "sortKey", "reverse"]),
    },
  },
};
