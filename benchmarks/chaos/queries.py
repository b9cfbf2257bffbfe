"""What clients ask, as a frontend does, and the right answers."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from urllib.parse import quote

from gateway.emulator import SegmentRow, seeded_store

SEGMENTS = 1000
ROWS: Sequence[SegmentRow] = seeded_store(SEGMENTS).segments
PAGE = "pageInfo { hasPreviousPage hasNextPage } nodes { entityId name }"


@dataclass(frozen=True, slots=True)
class Query:
    """The path of a GET, and the data of the right answer."""

    path: str
    expected: Mapping[str, object]


def asking(document: str, expected: Mapping[str, object]) -> Query:
    """Returns the query of a document."""
    return Query(f"/graphql?query={quote(document, safe='')}", expected)


def first_page(size: int) -> Query:
    """Asks for the first rows."""
    return asking(f"{{ segments(first: {size}) {{ {PAGE} }} }}", _page(0, size))


def page_after(cursor: str, offset: int, size: int) -> Query:
    """Asks for the rows after the cursor of the row at `offset`."""
    document = f'{{ segments(first: {size}, after: "{cursor}") {{ {PAGE} }} }}'
    return asking(document, _page(offset + 1, offset + 1 + size))


def segments_by_id(rows: Sequence[SegmentRow]) -> Query:
    """Asks for segments one by one, each under an alias."""
    fields = " ".join(
        f's{at}: segment(entityId: "{row.id}") {{ entityId name }}' for at, row in enumerate(rows)
    )
    return asking(f"{{ {fields} }}", {f"s{at}": _shown(row) for at, row in enumerate(rows)})


def segment_by_variable(row_id: str, row: SegmentRow | None) -> Query:
    """Asks for one segment, or for an absent id, by a document that stays the same."""
    document = "query Segment($id: ID!) { segment(entityId: $id) { entityId name } }"
    variables = quote(f'{{"id":"{row_id}"}}', safe="")
    query = asking(document, {"segment": _shown(row) if row else None})
    return Query(f"{query.path}&variables={variables}", query.expected)


def mix(cursors: Sequence[tuple[str, int]]) -> list[Query]:
    """Returns queries of all kinds, in turn; `cursors` come with the offset of their row."""
    last = asking(f"{{ segments(last: 20) {{ {PAGE} }} }}", _page(SEGMENTS - 20, SEGMENTS))
    total = asking("{ segments { totalCount } }", {"segments": {"totalCount": SEGMENTS}})
    pages = [page_after(cursor, offset, 50) for cursor, offset in cursors]
    found: list[Query] = []
    for turn, page in enumerate(islice(cycle(pages), 2 * len(pages))):
        rows = [ROWS[(turn * 37 + step * 101) % SEGMENTS] for step in range(3)]
        found += [first_page(20), page, segments_by_id(rows), _nodes(rows), last, total]
    return found


def _nodes(rows: Sequence[SegmentRow]) -> Query:
    ids = ", ".join(f'"{base64.b64encode(f"Segment:{row.id}".encode()).decode()}"' for row in rows)
    return asking(
        f"{{ nodes(ids: [{ids}]) {{ ... on Segment {{ entityId name }} }} }}",
        {"nodes": [_shown(row) for row in rows]},
    )


def _page(start: int, end: int) -> Mapping[str, object]:
    ends = {"hasPreviousPage": start > 0, "hasNextPage": end < SEGMENTS}
    return {"segments": {"pageInfo": ends, "nodes": [_shown(row) for row in ROWS[start:end]]}}


def _shown(row: SegmentRow) -> dict[str, object]:
    return {"entityId": row.id, "name": row.name}
