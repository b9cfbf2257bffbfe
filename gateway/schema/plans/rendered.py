"""The JSON of rows, made once for each row and selection, in memory that is bounded in bytes."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any, Final, Generic, NamedTuple, Protocol
from weakref import WeakValueDictionary

from graphql import GraphQLObjectType

from gateway.cache.policy import Entry
from gateway.pagination import BlockCursors, Slice
from gateway.row import Row
from gateway.schema.plans.selections import Json, Leaf, RowJson

RENDERED_BYTES: Final = 16 * 1024**2
# What a row's JSON takes beside its bytes: the bytes object, its place, and the row and its cursor
# once they are gone from the cache.
OVERHEAD_BYTES: Final = 700

# The name of the type, the leaves, what makes a row an object, and what reads the id.
SelectionKey = tuple[str, tuple[Leaf, ...], Callable[[Any], object], Callable[[Any], str]]


class Rendered(Protocol):
    """What counts as one in the memory: the rows of one selection."""

    bytes: int

    def clear(self) -> None:
        """Forgets all JSON, and sets `bytes` to 0."""


class RenderedRows:
    """The JSON of the rows of all selections, at most `maximum_bytes` of it.

    Beyond that, the selection whose rows were all there for longest forgets them.
    """

    def __init__(self, maximum_bytes: int = RENDERED_BYTES) -> None:
        self.bytes = 0
        self._maximum_bytes = maximum_bytes
        self._filled: OrderedDict[Rendered, None] = OrderedDict()
        self._by_id: WeakValueDictionary[SelectionKey, RenderedById[Any]] = WeakValueDictionary()

    def by_id(
        self,
        of_type: GraphQLObjectType,
        leaves: Sequence[Leaf],
        show: Callable[[Row], object],
        id_of: Callable[[Any], str],
    ) -> "RenderedById[Row]":
        """Returns the rows of a selection by the ids that `id_of` reads; all plans share it."""
        key = (of_type.name, tuple(leaves), show, id_of)
        known = self._by_id.get(key)
        if known is None:
            known = self._by_id[key] = RenderedById(RowJson(of_type, leaves, show), self)
        return known

    def count(self, rendered: Rendered, size: int) -> None:
        """Counts the bytes of what has been rendered, and makes room for them."""
        rendered.bytes += size
        self.bytes += size
        self._filled[rendered] = None
        self._filled.move_to_end(rendered)
        while self.bytes > self._maximum_bytes:
            oldest, _ = self._filled.popitem(last=False)
            self.bytes -= oldest.bytes
            oldest.clear()


class Shown(NamedTuple, Generic[Row]):
    """A row as it was read at `read_at`, and its JSON; None is a row that does not exist."""

    read_at: float
    row: Row | None
    json: bytes


class RenderedById(Generic[Row]):
    """The JSON of rows by the text of an id in a request."""

    def __init__(self, row: RowJson[Row], memory: RenderedRows) -> None:
        self.bytes = 0
        self._row = row
        self._memory = memory
        self._shown: dict[str, Shown[Row]] = {}

    def find(self, texts: Sequence[str], after: float, before: float) -> list[Shown[Row]] | None:
        """Returns rows that were read between two times; None if one of them is not there."""
        known = self._shown.get
        found: list[Shown[Row]] = []
        for text in texts:
            shown = known(text)
            if shown is None or not after < shown[0] < before:
                return None
            found.append(shown)
        return found

    def add(self, text: str, entry: Entry[Row | None]) -> Shown[Row]:
        """Renders an entry of the cache; raises `NotPlanned`.

        Equal rows have the same JSON, so a row that was read again is not rendered again.
        """
        row, earlier = entry.value, self._shown.get(text)
        if earlier is not None and earlier.row == row:
            shown = self._shown[text] = Shown(entry.read_at, row, earlier.json)
            return shown
        shown = Shown(entry.read_at, row, b"null" if row is None else self._row.make(row))
        self._shown[text] = shown
        before = 0 if earlier is None else len(earlier.json) + OVERHEAD_BYTES
        self._memory.count(self, len(shown.json) + OVERHEAD_BYTES - before)
        return shown

    def clear(self) -> None:
        """Forgets all JSON."""
        self._shown.clear()
        self.bytes = 0


class RenderedBlocks(Generic[Row]):
    """The JSON of the rows of blocks; `make` returns that of one row and its cursor."""

    def __init__(self, make: Callable[[str, Row], bytes], memory: RenderedRows) -> None:
        self.bytes = 0
        self._make = make
        self._memory = memory
        # By the list and the index: a block that was read again takes the place of the older one.
        self._blocks: dict[tuple[str, int], _BlockJson[Row]] = {}

    def rows(self, page: Slice[Row]) -> Json:
        """Returns the JSON of a page's rows, with commas between; raises `NotPlanned`."""
        if page.parts is None:
            return b",".join(map(self._make, page.cursors, page.rows))
        parts = [
            self._part(page.list_name, block.index, page.block_cursors(block, low), low, high)
            for block, low, high in page.parts
        ]
        return parts[0] if len(parts) == 1 else b",".join(parts)

    def _part(
        self, list_name: str, index: int, cursors: BlockCursors[Row], low: int, high: int
    ) -> Json:
        block = self._blocks.get((list_name, index))
        if block is None or block.cursors is not cursors:
            if block is not None:
                self._memory.count(self, -block.bytes)
            block = self._blocks[list_name, index] = _BlockJson(cursors)
        before = block.bytes
        try:
            return block.between(low, high, self._make)
        finally:
            if block.bytes != before:
                self._memory.count(self, block.bytes - before)

    def clear(self) -> None:
        """Forgets all JSON."""
        self._blocks.clear()
        self.bytes = 0


class _BlockJson(Generic[Row]):
    """The JSON of a block's rows, made as it is asked for.

    Once all of it is there it is one text, of which a page is a part.
    """

    def __init__(self, cursors: BlockCursors[Row]) -> None:
        self.cursors = cursors
        self.bytes = 0
        self._rows: list[bytes | None] = [None] * len(cursors.rows)
        self._text = memoryview(b"")
        # Where each row begins in the text, and where one after the last would.
        self._starts = array("L")

    def between(self, low: int, high: int, make: Callable[[str, Row], bytes]) -> Json:
        if not self._text:
            if None in self._rows[low:high]:
                self._fill(low, high, make)
            if None in self._rows:
                return b",".join(_all(self._rows[low:high]))
            rows = _all(self._rows)
            self._text = memoryview(b",".join(rows))
            self._starts.extend(accumulate((len(row) + 1 for row in rows), initial=0))
            self._rows = []
        return self._text[self._starts[low] : self._starts[high] - 1]

    def _fill(self, low: int, high: int, make: Callable[[str, Row], bytes]) -> None:
        rows, cursors = self.cursors.rows, self.cursors.between(low, high)
        for at, cursor in enumerate(cursors, low):
            row = rows[at]
            if self._rows[at] is None and row is not None and cursor is not None:
                json = self._rows[at] = make(cursor, row)
                self.bytes += len(json) + OVERHEAD_BYTES


def _all(rows: Iterable[bytes | None]) -> Sequence[bytes]:
    return [row for row in rows if row is not None]
