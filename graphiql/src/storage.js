import { createLocalStorage } from '@graphiql/toolkit';

import { examples } from './examples.js';

// Its own: another GraphiQL on this origin, such as localhost:8000, would bring its tabs along.
export const storage = createLocalStorage({ namespace: 'bigcommerce-segments-gateway' });

// GraphiQL takes the texts of the open tab from here, also where the tabs are the default ones.
if (storage.getItem('graphiql:tabState') === null) {
  storage.setItem('graphiql:query', examples[0].query);
  storage.setItem('graphiql:variables', examples[0].variables);
}
