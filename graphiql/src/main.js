import 'graphiql/setup-workers/vite';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';

import { EditorOptions } from './editors.js';
import { examples } from './examples.js';
import { ask } from './fetcher.js';
import { storage } from './storage.js';

// One by one, since graphiql/style.css holds Monaco's styles a second time, and 360 kB of fonts.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-explorer/style.css';
import 'graphiql/graphiql.css';
import './page.css';

createRoot(document.getElementById('graphiql')).render(
  createElement(
    EditorOptions,
    null,
    createElement(GraphiQL, {
      fetcher: ask,
      defaultTabs: examples,
      defaultEditorToolsVisibility: 'variables',
      plugins: [HISTORY_PLUGIN, explorerPlugin()],
      storage,
    }),
  ),
);
