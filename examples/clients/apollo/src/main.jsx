import { ApolloProvider } from "@apollo/client/react";
import { createRoot } from "react-dom/client";
import "./app.css";
import { client } from "./client.js";
import { Segments } from "./Segments.jsx";

createRoot(document.getElementById("root")).render(
  <ApolloProvider client={client}>
    <Segments />
  </ApolloProvider>,
);
