import { createLocalStorage } from '@graphiql/toolkit';

import { examples } from './examples.js';

// A separate key: another GraphiQL on this origin, such as localhost:8000, has its own tabs.
export const storage = createLocalStorage({ namespace: 'bigcommerce-segments-gateway' });

export const isFirstVisit = storage.getItem('graphiql:tabState') === null;

// GraphiQL reads the texts of the open tab from here, even if its tabs are the default ones.
if (isFirstVisit) {
  storage.setItem('graphiql:query', examples[0].query);
  storage.setItem('graphiql:variables', examples[0].variables);
}
