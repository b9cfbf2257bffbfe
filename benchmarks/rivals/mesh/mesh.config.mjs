// What GraphQL Mesh has to know: the store's OpenAPI file, its address and its token.
import { defineConfig } from '@graphql-mesh/compose-cli';
import { loadOpenAPISubgraph } from '@omnigraph/openapi';

const { OPENAPI_FILE, STORE_URL, STORE_TOKEN } = process.env;

export const composeConfig = defineConfig({
  subgraphs: [
    {
      sourceHandler: loadOpenAPISubgraph('segments', {
        source: OPENAPI_FILE,
        endpoint: STORE_URL,
        operationHeaders: { 'X-Auth-Token': STORE_TOKEN },
      }),
    },
  ],
});
