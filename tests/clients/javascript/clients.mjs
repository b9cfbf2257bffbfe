// The clients that are driven, and a fetch that remembers what was sent and how it was answered.
import * as apollo4 from "@apollo/client";
import { BatchHttpLink as BatchHttpLink4 } from "@apollo/client/link/batch-http";
import { createPersistedQueryLink as persisted4 } from "@apollo/client/link/persisted-queries";
import { relayStylePagination as pagination4 } from "@apollo/client/utilities";
import apollo3 from "apollo-client-3/core/core.cjs";
import batch3 from "apollo-client-3/link/batch-http/batch-http.cjs";
import persisted3 from "apollo-client-3/link/persisted-queries/persisted-queries.cjs";
import utilities3 from "apollo-client-3/utilities/utilities.cjs";

export const APOLLO = {
  "Apollo Client 4": {
    ...apollo4,
    BatchHttpLink: BatchHttpLink4,
    createPersistedQueryLink: persisted4,
    relayStylePagination: pagination4,
  },
  "Apollo Client 3": { ...apollo3, ...batch3, ...persisted3, ...utilities3 },
};

const fieldsOf = (url, { body }) => (body ? JSON.parse(body) : Object.fromEntries(new URL(url).searchParams));

// `sent` gets "POST document 200" and the like for each request, in order.
export function recordingFetch(sent) {
  return async (url, options) => {
    const answer = await fetch(url, options);
    const fields = fieldsOf(url, options);
    const what = Array.isArray(fields) ? "batch" : fields.query ? "document" : "hash";
    sent.push(`${options.method ?? "GET"} ${what} ${answer.status}`);
    return answer;
  };
}

// `sent` gets the name of each operation, in the order in which they are sent.
export function namingFetch(sent) {
  return (url, options) => {
    sent.push(fieldsOf(url, options).operationName);
    return fetch(url, options);
  };
}
