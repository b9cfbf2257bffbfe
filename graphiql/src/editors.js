import { useMonaco } from '@graphiql/react';
import { useLayoutEffect } from 'react';

// Names of segments are in any language, so letters and dashes that look like ASCII are not marked.
// Invisible characters are: two names that look the same may differ in one.
const unicodeHighlight = {
  ambiguousCharacters: false,
  nonBasicASCII: false,
  invisibleCharacters: true,
  includeStrings: true,
};

// GraphiQL has no property for this option, so it is set on each new editor. GraphiQL creates
// editors in effects, which run after layout effects.
export function EditorOptions({ children }) {
  const monaco = useMonaco((state) => state.monaco);
  useLayoutEffect(() => {
    const hook = monaco?.editor.onDidCreateEditor((editor) => {
      editor.updateOptions({ unicodeHighlight });
    });
    return () => hook?.dispose();
  }, [monaco]);
  return children;
}
