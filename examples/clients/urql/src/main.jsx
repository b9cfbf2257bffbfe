import { createRoot } from "react-dom/client";
import { Provider } from "urql";
import "./app.css";
import { client } from "./client.js";
import { Segments } from "./Segments.jsx";

createRoot(document.getElementById("root")).render(
  <Provider value={client}>
    <Segments />
  </Provider>,
);
