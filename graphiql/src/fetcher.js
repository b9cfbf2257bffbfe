// Asks the address that the page was loaded from, whatever prefix a proxy put before it.
export async function ask(parameters, options) {
  const response = await fetch(window.location.pathname, {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      'Content-Type': 'application/json',
      ...options?.headers,
    },
    body: JSON.stringify(parameters),
  });
  const type = response.headers.get('Content-Type') ?? 'no content type';
  if (!/^application\/(graphql-response\+)?json\b/.test(type)) {
    throw new Error(`Status ${response.status} with ${type}: this answer is not the gateway's.`);
  }
  return response.json();
}
