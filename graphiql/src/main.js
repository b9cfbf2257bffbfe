import 'graphiql/setup-workers/vite';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createElement, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { EditorOptions } from './editors.js';
import { examples } from './examples.js';
import { asksForCredentials, createFetcher } from './fetcher.js';
import { FirstView } from './first-view.js';
import { isFirstVisit, storage } from './storage.js';

// One by one, since graphiql/style.css holds Monaco's styles a second time, and 360 kB of fonts.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-explorer/style.css';
import 'graphiql/graphiql.css';
import './page.css';

const plugins = [HISTORY_PLUGIN, explorerPlugin()];
const headers = `{
  "Authorization": "Bearer "
}`;

// The schema is asked for as soon as the gateway has answered a query: `null` is "not yet".
function Page({ needsCredentials }) {
  const [isLocked, setIsLocked] = useState(needsCredentials);
  const [ask] = useState(() => createFetcher(() => setIsLocked(false)));
  return createElement(
    EditorOptions,
    null,
    createElement(
      GraphiQL,
      {
        fetcher: ask,
        schema: isLocked ? null : undefined,
        defaultTabs: examples,
        defaultHeaders: needsCredentials ? headers : undefined,
        defaultEditorToolsVisibility: needsCredentials ? 'headers' : 'variables',
        plugins,
        storage,
      },
      createElement(FirstView, { isFirstVisit, isLocked }),
    ),
  );
}

const needsCredentials = await asksForCredentials();
createRoot(document.getElementById('graphiql')).render(createElement(Page, { needsCredentials }));
