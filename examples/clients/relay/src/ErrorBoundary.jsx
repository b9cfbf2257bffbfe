import { Component } from "react";

// Shows the error of a request in place of what was to be shown.
export default class ErrorBoundary extends Component {
  state = {};
  static getDerivedStateFromError = (error) => ({ error });
  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <p role="alert">
        {error.message} <a href=".">Start again</a>
      </p>
    );
  }
}
