// Asks the address that the page was loaded from, whatever prefix a proxy put before it.
function post(parameters, headers) {
  return fetch(window.location.pathname, {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      'Content-Type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(parameters),
  });
}

// Whether the gateway refuses clients without credentials. This query costs the store nothing.
export async function asksForCredentials() {
  try {
    return (await post({ query: '{ __typename }' })).status === 401;
  } catch {
    return false;
  }
}

// GraphiQL reads the names of a tab's operations a moment after it is opened. Until then it sends
// the name of the tab before, which this document does not have.
function withKnownName({ operationName, ...parameters }) {
  const names = parameters.query.matchAll(/\b(?:query|mutation|subscription)\s+(\w+)/g);
  const isKnown = [...names].some(([, name]) => name === operationName);
  return isKnown ? { ...parameters, operationName } : parameters;
}

const isFilledIn = (headers) => /^Bearer\s+\S/i.test(headers?.Authorization ?? '');

// A fetcher of GraphiQL's, which calls `onAdmitted` after each answer that is not about credentials.
// GraphiQL keeps headers apart for each tab: a tab without a key sends the one that worked last.
export function createFetcher(onAdmitted) {
  let authorization;
  return async (parameters, options) => {
    let headers = options?.headers;
    if (authorization !== undefined && !isFilledIn(headers)) {
      headers = { ...headers, Authorization: authorization };
    }
    const response = await post(withKnownName(parameters), headers);
    const type = response.headers.get('Content-Type') ?? 'no content type';
    if (!/^application\/(graphql-response\+)?json\b/.test(type)) {
      throw new Error(`Status ${response.status} with ${type}: this answer is not the gateway's.`);
    }
    if (response.status !== 401) {
      authorization = isFilledIn(headers) ? headers.Authorization : undefined;
      onAdmitted();
    }
    return response.json();
  };
}
