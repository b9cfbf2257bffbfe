// What a client's app does with its lists, step by step, and the snippets of a page that it is made of.
import { setTimeout } from "node:timers/promises";
import { parse, separateOperations } from "graphql";

export const FIRST = 40; // The rows of a page: the list of the test has two.

// What clients say on the console from here on.
const warnings = [];
console.warn = console.error = (message) => warnings.push(message);

// {name: document} of the operations of a text, each with its fragments.
export const operations = (text) => separateOperations(parse(text));

// The constant that a snippet declares, with these names in scope.
export const declared = (constant, snippet, scope) =>
  new Function(...Object.keys(scope), `${snippet}; return ${constant};`)(...Object.values(scope));

// Drives an app: `load` and `more` of its list of segments, `loadMembers(segment)`, `mutate(operation, input)`; `list`
// and `members` are the data that it shows. Returns {steps: [{sent, count, rows, members}], warnings}: the operations
// that each step sent and what is shown after it, and what the client said on the console.
export async function drive(app, sent, { name, customer }) {
  const steps = [];
  async function step(done) {
    await done;
    await setTimeout(0); // Clients tell of new rows, and refetch, in the next turn.
    const { segmentsCount, segments } = app.list();
    steps.push({
      sent: sent.splice(0),
      count: segmentsCount,
      rows: segments.edges.map(({ node }) => node.name),
      members: app.members()?.edges.map(({ node }) => node.customer.entityId) ?? [],
    });
  }
  const second = () => app.list().segments.edges[1].node.id;

  await step(app.load());
  await step(app.more());
  await step(app.mutate("CreateSegments", { segments: [{ name }] }));
  await step(app.mutate("DeleteSegments", { ids: [second()] }));
  const segmentId = second();
  await step(app.loadMembers(segmentId));
  await step(app.mutate("AddCustomers", { segmentId, customerEntityIds: [customer] }));
  return { steps, warnings };
}
