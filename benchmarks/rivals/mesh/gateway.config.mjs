// Hive Gateway, with its response cache where RESPONSE_CACHE_MS says for how long.
const ttl = Number(process.env.RESPONSE_CACHE_MS ?? 0);

export const gatewayConfig = {
  ...(ttl > 0 && {
    cache: { type: 'localforage' },
    responseCaching: { session: () => null, ttl },
  }),
};
