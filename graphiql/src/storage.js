import { createLocalStorage } from '@graphiql/toolkit';

import { examples } from './examples.js';

// For a browser that refuses to store: tabs last until the page is loaded again.
function createMemoryStorage() {
  const items = new Map();
  return {
    setItem: (key, value) => items.set(key, value),
    getItem: (key) => items.get(key) ?? null,
    removeItem: (key) => items.delete(key),
    get length() {
      return items.size;
    },
    clear: () => items.clear(),
  };
}

// GraphiQL reads the texts of the open tab from here, even if its tabs are the default ones.
function showFirstExample(storage) {
  storage.setItem('graphiql:query', examples[0].query);
  storage.setItem('graphiql:variables', examples[0].variables);
}

// Without a storage each visit would look like the first one, and send a query: none does.
function open() {
  try {
    // A separate key: another GraphiQL on this origin, such as localhost:8000, has its own tabs.
    const storage = createLocalStorage({ namespace: 'bigcommerce-segments-gateway' });
    const isFirstVisit = storage.getItem('graphiql:tabState') === null;
    if (isFirstVisit) {
      showFirstExample(storage);
    }
    return { storage, isFirstVisit };
  } catch {
    const storage = createMemoryStorage();
    showFirstExample(storage);
    return { storage, isFirstVisit: false };
  }
}

export const { storage, isFirstVisit } = open();
