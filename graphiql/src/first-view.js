import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';

import { examples } from './examples.js';

const withoutKey = `{
  "whatToDo": [
    "This gateway answers clients that it knows.",
    "1. Get an API key or a token from its operator.",
    "2. Write it behind Bearer, in the tab Headers.",
    "3. Press Ctrl-Enter. The other tabs then send it, too, until the page is loaded again."
  ]
}`;

// What the response pane shows before anything is run: the answer of the first example at a first
// visit, and the way to a key where the gateway asks for one. At later visits nothing is sent for
// it. Only the first example as it is runs by itself: another tab may hold a mutation.
export function FirstView({ isFirstVisit, isLocked }) {
  const { run } = useGraphiQLActions();
  const { queryEditor, responseEditor, schema } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    responseEditor: state.responseEditor,
    schema: state.schema,
  }));
  const isShown = useRef(false);

  useEffect(() => {
    if (isShown.current || !queryEditor || !responseEditor) {
      return;
    }
    if (isLocked) {
      isShown.current = true;
      responseEditor.setValue(withoutKey);
    } else if (schema) {
      isShown.current = true;
      if (isFirstVisit && queryEditor.getValue() === examples[0].query) {
        run();
      }
    }
  }, [isFirstVisit, isLocked, queryEditor, responseEditor, run, schema]);
  return null;
}
