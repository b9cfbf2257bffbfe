"""Pages both ways, a lookup and mutations with gql.

`pip install "gql[httpx]"`, then `python with_gql.py http://127.0.0.1:8000/graphql`. It creates a
segment, renames it and deletes it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

from gql import Client, GraphQLRequest
from gql.client import AsyncClientSession
from gql.transport.httpx import HTTPXAsyncTransport

ROW = "fragment SegmentRow on Segment { id name createdAt }"
SEGMENTS = """
query Segments($first: Int, $after: String, $last: Int, $before: String, $filter: SegmentFilter) {
  segments(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    nodes { ...SegmentRow }
    pageInfo { startCursor endCursor hasPreviousPage hasNextPage }
  }
}
"""
SEGMENT = "query Segment($id: ID!) { segment(id: $id) { ...SegmentRow description } }"
CREATE = """
mutation CreateSegments($input: CreateSegmentsInput!) {
  createSegments(input: $input) { segments { ...SegmentRow } userErrors { message } }
}
"""
UPDATE = """
mutation UpdateSegments($input: UpdateSegmentsInput!) {
  updateSegments(input: $input) { userErrors { message } }
}
"""
DELETE = """
mutation DeleteSegments($input: DeleteSegmentsInput!) {
  deleteSegments(input: $input) { deletedSegmentIds userErrors { message } }
}
"""

Row = Mapping[str, Any]


class Segments:
    """The segments of a store, over an open session."""

    def __init__(self, session: AsyncClientSession) -> None:
        self.session = session

    async def ask(self, document: str, **variables: object) -> Any:
        """Returns the only field of an operation; raises `TransportQueryError` if it failed."""
        row = ROW if "...SegmentRow" in document else ""
        request = GraphQLRequest(document + row, variable_values=variables)
        (answer,) = (await self.session.execute(request)).values()
        return answer

    async def forward(self, size: int, **other: object) -> AsyncIterator[Row]:
        """Yields all rows that can be read from the first to the last, in pages."""
        after = None
        while True:
            page = await self.ask(SEGMENTS, first=size, after=after, **other)
            for row in filter(None, page["nodes"]):
                yield row
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    async def backward(self, size: int, **other: object) -> AsyncIterator[Row]:
        """Yields all rows that can be read from the last to the first, in pages."""
        before = None
        while True:
            page = await self.ask(SEGMENTS, last=size, before=before, **other)
            for row in filter(None, reversed(page["nodes"])):
                yield row
            if not page["pageInfo"]["hasPreviousPage"]:
                return
            before = page["pageInfo"]["startCursor"]


async def main(url: str) -> None:
    """Walks through the segments, then changes one of its own."""
    async with Client(transport=HTTPXAsyncTransport(url)) as session:
        segments = Segments(session)
        names = [row["name"] async for row in segments.forward(30)]
        print(f"forward: {len(names)} from {names[0]} to {names[-1]}")
        names = [row["name"] async for row in segments.backward(30)]
        print(f"backward: {len(names)} from {names[0]} to {names[-1]}")
        vip = {"nameContains": "vip"}
        names = [row["name"] async for row in segments.forward(2, filter=vip)]
        print(f"filtered: {', '.join(names)}")

        new = {"name": "Made by gql", "description": "An example"}
        created = await segments.ask(CREATE, input={"segments": [new]})
        (row,) = created["segments"]
        print(f"created: {row['name']} at {row['createdAt']}")
        again = await segments.ask(CREATE, input={"segments": [new]})
        print(f"refused: {again['userErrors'][0]['message']}")

        change = {"id": row["id"], "name": "Renamed by gql"}
        await segments.ask(UPDATE, input={"segments": [change]})
        found = await segments.ask(SEGMENT, id=row["id"])
        print(f"refetched: {found['name']}, {found['description']}")

        await segments.ask(DELETE, input={"ids": [row["id"]]})
        print(f"deleted: {await segments.ask(SEGMENT, id=row['id'])}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
