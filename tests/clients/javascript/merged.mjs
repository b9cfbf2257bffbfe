// Reads {url, queries: [{text, times, most}]} as JSON on standard input, has the batching executor of
// graphql-tools merge each query with itself, up to `most` into a document, and prints [{documents, answered, errors}].
import { readFileSync } from "node:fs";
import { createBatchingExecutor } from "@graphql-tools/batch-execute";
import { parse, print } from "graphql";

const { url, queries } = JSON.parse(readFileSync(0, "utf8"));

const seen = [];
for (const { text, times, most } of queries) {
  let documents = 0;
  const executor = async ({ document, variables }) => {
    documents += 1;
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ query: print(document), variables });
    return (await fetch(url, { method: "POST", headers, body })).json();
  };
  const batching = createBatchingExecutor(executor, { maxBatchSize: most });
  const answers = await Promise.all(Array.from({ length: times }, () => batching({ document: parse(text) })));
  const errors = answers.flatMap((answer) => answer.errors ?? []).map((error) => error.message);
  seen.push({ documents, answered: answers.filter((answer) => answer.data).length, errors: [...new Set(errors)] });
}
console.log(JSON.stringify(seen));
