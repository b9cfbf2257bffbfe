"""What clients ask, as a frontend does, and what the right answer is."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from gateway.emulator import seeded_store

SEGMENTS = 1000
IDS = [row.id for row in seeded_store(SEGMENTS).segments]
PAGE = "pageInfo { endCursor } nodes { entityId name }"

# What an answer holds is as deep as its query: `is_right` knows its shape.
Answered = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """A document, and whether the data of an answer is right: no row missing, twice or made up."""

    document: str
    is_right: Callable[[Answered], bool]


def first_page(size: int) -> Query:
    """Asks for the first rows."""
    return Query(f"{{ segments(first: {size}) {{ {PAGE} }} }}", _has_rows(IDS[:size]))


def page_after(cursor: str, offset: int, size: int) -> Query:
    """Asks for the rows behind a cursor, which stands at this offset."""
    document = f'{{ segments(first: {size}, after: "{cursor}") {{ {PAGE} }} }}'
    return Query(document, _has_rows(IDS[offset + 1 : offset + 1 + size]))


def mix(cursors: Sequence[tuple[str, int]]) -> list[Query]:
    """Returns queries of all kinds, those behind the cursors among them; to be asked in turn."""
    last = Query(f"{{ segments(last: 20) {{ {PAGE} }} }}", _has_rows(IDS[-20:]))
    total = Query(
        "{ segments { totalCount } }", lambda d: bool(d["segments"]["totalCount"] == SEGMENTS)
    )
    pages = [page_after(cursor, offset, 50) for cursor, offset in cursors]
    found: list[Query] = []
    for turn, page in enumerate(islice(cycle(pages), 2 * len(pages))):
        ids = [IDS[(turn * 37 + step * 101) % SEGMENTS] for step in range(3)]
        found += [first_page(20), page, _by_id(ids), _nodes(ids), last, total]
    return found


def _by_id(ids: Sequence[str]) -> Query:
    fields = " ".join(
        f's{at}: segment(entityId: "{row_id}") {{ entityId }}' for at, row_id in enumerate(ids)
    )
    return Query(
        f"{{ {fields} }}",
        lambda d: [d[f"s{at}"]["entityId"] for at in range(len(ids))] == [*ids],
    )


def _nodes(ids: Sequence[str]) -> Query:
    names = ", ".join(f'"{base64.b64encode(f"Segment:{i}".encode()).decode()}"' for i in ids)
    return Query(
        f"{{ nodes(ids: [{names}]) {{ ... on Segment {{ entityId }} }} }}",
        lambda d: [node["entityId"] for node in d["nodes"]] == [*ids],
    )


def _has_rows(ids: Sequence[str]) -> Callable[[Answered], bool]:
    return lambda d: [node["entityId"] for node in d["segments"]["nodes"]] == [*ids]
