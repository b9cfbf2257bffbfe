import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page and the gateway have one origin for the browser. Without changeOrigin, Vite replaces the Host header.
const target = process.env.GRAPHQL_SERVER ?? "http://127.0.0.1:8000";
const proxy = { "/graphql": { target, changeOrigin: false } };

export default defineConfig({
  plugins: [react()],
  // ../kits imports those packages, too, and has none of its own.
  resolve: { dedupe: ["@urql/core", "@urql/exchange-graphcache"] },
  server: { proxy, fs: { allow: [".."] } },
  preview: { proxy },
});
