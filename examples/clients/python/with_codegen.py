"""Pages both ways, a lookup and mutations with the client that ariadne-codegen generates.

`pip install httpx pydantic`, then `python with_codegen.py http://127.0.0.1:8000/graphql`. It
creates a segment, renames it and deletes it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

from generated import (
    CreateSegmentsInput,
    DeleteSegmentsInput,
    NewSegment,
    SegmentChange,
    SegmentFilter,
    SegmentRow,
    SegmentsClient,
    UpdateSegmentsInput,
)


async def forward(
    client: SegmentsClient, size: int, wanted: SegmentFilter | None = None
) -> AsyncIterator[SegmentRow]:
    """Yields all rows that can be read from the first to the last, in pages."""
    after = None
    while page := (await client.segments(first=size, after=after, filter_=wanted)).segments:
        for row in filter(None, page.nodes):
            yield row
        if not page.page_info.has_next_page:
            return
        after = page.page_info.end_cursor


async def backward(client: SegmentsClient, size: int) -> AsyncIterator[SegmentRow]:
    """Yields all rows that can be read from the last to the first, in pages."""
    before = None
    while page := (await client.segments(last=size, before=before)).segments:
        for row in filter(None, reversed(page.nodes)):
            yield row
        if not page.page_info.has_previous_page:
            return
        before = page.page_info.start_cursor


async def main(url: str) -> None:
    """Walks through the segments, then changes one of its own."""
    async with SegmentsClient(url) as client:
        names = [row.name async for row in forward(client, 30)]
        print(f"forward: {len(names)} from {names[0]} to {names[-1]}")
        names = [row.name async for row in backward(client, 30)]
        print(f"backward: {len(names)} from {names[0]} to {names[-1]}")
        vip = SegmentFilter(nameContains="vip")
        names = [row.name async for row in forward(client, 2, vip)]
        print(f"filtered: {', '.join(name or '' for name in names)}")

        new = NewSegment(name="Made by ariadne-codegen", description="An example")
        create = CreateSegmentsInput(segments=[new])
        created = (await client.create_segments(create)).create_segments
        assert created, "createSegments is null with an error alone, which is raised"
        (row,) = created.segments
        print(f"created: {row.name} at {row.created_at:%Y-%m-%d}")
        again = (await client.create_segments(create)).create_segments
        print(f"refused: {again.user_errors[0].message if again else None}")

        # What is not set is not sent, and stays as it is.
        change = SegmentChange(id=row.id, name="Renamed by ariadne-codegen")
        await client.update_segments(UpdateSegmentsInput(segments=[change]))
        found = (await client.segment(row.id)).segment
        print(f"refetched: {found and found.name}, {found and found.description}")

        await client.delete_segments(DeleteSegmentsInput(ids=[row.id]))
        print(f"deleted: {(await client.segment(row.id)).segment}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
