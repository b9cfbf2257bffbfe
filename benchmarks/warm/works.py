"""What is asked, all of it warm: templates of requests, whose holes are filled at random."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

PAGE_SIZE = 50
FIELDS = "id entityId name description createdAt"
PAGE_FIELDS = (
    f"edges {{ cursor node {{ {FIELDS} updatedAt }} }} "
    "pageInfo { hasNextPage endCursor } totalCount"
)
# A cursor or id of some row, and a number that no other request has.
HOLE = re.compile("<(cursor|id|number)>")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a server: ids, and the cursors that a full page follows."""

    ids: Sequence[str]
    cursors: Sequence[str]


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request: a document, and the rest of its body as JSON with holes.

    Without a rest, the document is sent by GET, with the `ETag` of its answer.
    """

    name: str
    title: str
    document: str
    rest: str | None = None

    @property
    def is_get(self) -> bool:
        """Whether it is sent by GET."""
        return self.rest is None

    @property
    def query_string(self) -> str:
        """The query string of its URL."""
        return f"?query={quote(self.document, safe='')}" if self.is_get else ""

    @property
    def pieces(self) -> list[str]:
        """The body: text and names of holes, in turn; it begins and ends with text."""
        if self.rest is None:
            return [""]
        return HOLE.split(f'{{"query":{json.dumps(self.document)},{self.rest}}}')

    def body(self, fill: Callable[[str], str]) -> str:
        """Returns a body; `fill` returns the text for a hole of a name."""
        return "".join(fill(piece) if at % 2 else piece for at, piece in enumerate(self.pieces))


def _aliases(number: int) -> Work:
    names = [f"a{at}" for at in range(number)]
    declared = " ".join(f"${name}: ID!" for name in names)
    fields = " ".join(f"{name}: segment(entityId: ${name}) {{ {FIELDS} }}" for name in names)
    values = ",".join(f'"{name}":"<id>"' for name in names)
    return Work(
        "aliases",
        f"{number} aliases by id, ids at random",
        f"query({declared}) {{ {fields} }}",
        f'"variables":{{{values}}}',
    )


def _repeated(text: str, number: int) -> str:
    return ",".join([text] * number)


WORKS: Sequence[Work] = (
    Work(
        "page",
        f"the same page of {PAGE_SIZE}",
        f"{{ segments(first: {PAGE_SIZE}) {{ {PAGE_FIELDS} }} }}",
        '"variables":{}',
    ),
    Work(
        "pages",
        f"another page of {PAGE_SIZE} each time, no request twice",
        "query($first: Int, $after: String) "
        f"{{ segments(first: $first, after: $after) {{ {PAGE_FIELDS} }} }}",
        f'"variables":{{"first":{PAGE_SIZE},"after":"<cursor>"}},'
        '"extensions":{"request":<number>}',
    ),
    Work(
        "ids",
        "a list of 20 ids, ids at random",
        f"query($ids: [ID!]!) {{ segmentsByEntityId(entityIds: $ids) {{ {FIELDS} }} }}",
        '"variables":{"ids":[' + _repeated('"<id>"', 20) + "]}",
    ),
    _aliases(20),
    Work(
        "get",
        "GET of the page, not modified",
        f"{{ segments(first: {PAGE_SIZE}) {{ {PAGE_FIELDS} }} }}",
    ),
    Work(
        "entities",
        "100 `_entities`, ids at random",
        "query($representations: [_Any!]!) { _entities(representations: $representations) "
        f"{{ ... on Segment {{ {FIELDS} }} }} }}",
        '"variables":{"representations":['
        + _repeated('{"__typename":"Segment","entityId":"<id>"}', 100)
        + "]}",
    ),
)
