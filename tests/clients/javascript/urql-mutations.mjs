// Reads {url, documents, config, schema, name, customer} as JSON on standard input, and prints what `drive` sees with
// urql and Graphcache; `config` is a snippet that declares `cache`, `schema` the text of the schema.
import { readFileSync } from "node:fs";
import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { buildSchema, introspectionFromSchema } from "graphql";
import { namingFetch } from "./clients.mjs";
import { FIRST, declared, drive, operations } from "./lists.mjs";

const question = JSON.parse(readFileSync(0, "utf8"));
const documents = operations(question.documents);
const schema = introspectionFromSchema(buildSchema(question.schema));

const sent = [];
const cache = declared("cache", question.config, { cacheExchange, relayPagination, schema });
const client = new Client({ url: question.url, fetch: namingFetch(sent), exchanges: [cache, fetchExchange] });

// Shows the answers to a query from now on; resolves at the first that is no part of it from the cache.
const watch = (query, variables, show) =>
  new Promise((resolve) => {
    client.query(query, variables).subscribe(({ data, stale }) => {
      show(data);
      if (!stale) resolve();
    });
  });

let list;
let members;
let after;
const seen = await drive(
  {
    list: () => list,
    members: () => members?.segment.shopperProfiles,
    load: () => watch(documents.Segments, { first: FIRST }, (data) => (list = data)),
    more: () => {
      after = list.segments.pageInfo.endCursor;
      return watch(documents.Segments, { first: FIRST, after }, () => {});
    },
    loadMembers: (segment) => watch(documents.Members, { segment }, (data) => (members = data)),
    mutate: (operation, input) => {
      const variables = operation === "AddCustomers" ? { input } : { input, first: FIRST, after, more: true };
      return client.mutation(documents[operation], variables).toPromise();
    },
  },
  sent,
  question,
);
console.log(JSON.stringify(seen));
process.exit(0);
