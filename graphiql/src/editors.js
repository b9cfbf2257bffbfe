import { useMonaco } from '@graphiql/react';
import { useLayoutEffect } from 'react';

// Names of segments are in any language: a letter or a dash that is like an ASCII one is no trap
// here. Invisible characters stay marked, since nobody sees why such a name is not the other.
const unicodeHighlight = {
  ambiguousCharacters: false,
  nonBasicASCII: false,
  invisibleCharacters: true,
  includeStrings: true,
};

// Sets what GraphiQL has no property for, on each editor that it makes: it makes them in effects,
// which come after layout effects.
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
