import { useState } from "react";
import { graphql, useMutation } from "react-relay";

// Creates a segment and puts it in front of the lists.
export default function CreateSegment({ lists }) {
  const [name, setName] = useState("");
  const [message, setMessage] = useState(null);
  const [commit, isInFlight] = useMutation(graphql`
    mutation CreateSegmentMutation($input: CreateSegmentsInput!, $lists: [ID!]!) {
      createSegments(input: $input) {
        segments @prependNode(connections: $lists, edgeTypeName: "SegmentEdge") {
          id
          ...SegmentRow_segment
        }
        userErrors {
          message
        }
        query {
          segmentsCount
        }
      }
    }
  `);

  function create(event) {
    event.preventDefault();
    commit({
      variables: { input: { segments: [{ name }] }, lists },
      onCompleted: ({ createSegments }, errors) => {
        const [failed] = errors ?? createSegments.userErrors;
        setMessage(failed?.message);
        if (!failed) setName("");
      },
      onError: (error) => setMessage(error.message),
    });
  }

  return (
    <form className="bar" onSubmit={create}>
      <input
        name="name"
        aria-label="Name of a new segment"
        placeholder="New segment"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <button disabled={isInFlight}>Create</button>
      {message && <p role="alert">{message}</p>}
    </form>
  );
}
