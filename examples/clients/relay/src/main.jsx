import { Suspense } from "react";
import { createRoot } from "react-dom/client";
import { RelayEnvironmentProvider } from "react-relay";
import App from "./App.jsx";
import ErrorBoundary from "./ErrorBoundary.jsx";
import { environment } from "./environment.js";
import "./style.css";

createRoot(document.getElementById("root")).render(
  <RelayEnvironmentProvider environment={environment}>
    <ErrorBoundary>
      <Suspense fallback={<p>Loading …</p>}>
        <App />
      </Suspense>
    </ErrorBoundary>
  </RelayEnvironmentProvider>,
);
