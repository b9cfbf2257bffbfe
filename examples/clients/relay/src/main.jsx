import { Component, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { RelayEnvironmentProvider } from "react-relay";
import App from "./App.jsx";
import { environment } from "./environment.js";
import "./style.css";

class ErrorBoundary extends Component {
  state = {};
  static getDerivedStateFromError = (error) => ({ error });
  render() {
    return this.state.error ? <p role="alert">{this.state.error.message}</p> : this.props.children;
  }
}

createRoot(document.getElementById("root")).render(
  <RelayEnvironmentProvider environment={environment}>
    <ErrorBoundary>
      <Suspense fallback={<p>Loading …</p>}>
        <App />
      </Suspense>
    </ErrorBoundary>
  </RelayEnvironmentProvider>,
);
