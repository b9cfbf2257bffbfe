import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

// The gateway sends these copies to browsers that accept gzip, and compresses nothing itself.
const compressedTwins = {
  name: 'compressed-twins',
  writeBundle({ dir }, bundle) {
    for (const [name, file] of Object.entries(bundle)) {
      if (name.startsWith('graphql/')) {
        const content = file.type === 'chunk' ? file.code : file.source;
        writeFileSync(join(dir, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    }
  },
};

export default defineConfig({
  // Relative addresses: the page works at /graphql and behind any prefix.
  base: './',
  build: {
    outDir: '../gateway/web/static/graphiql',
    emptyOutDir: true,
    // Below the page's own path, so that a proxy's rule for /graphql covers them.
    assetsDir: 'graphql/assets',
    chunkSizeWarningLimit: 5000,
  },
  worker: { format: 'es' },
  plugins: [compressedTwins],
});
