"""The JSON of rows, made once for each row and selection, in memory that is bounded in bytes."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import accumulate
from typing import Final, Generic, NamedTuple, TypeVar, cast
from weakref import WeakValueDictionary, ref

from gateway.cache.policy import Entry
from gateway.pagination import BlockCursors, Slice
from gateway.row import Row
from gateway.schema.plans.selections import Json, RowJson

RENDERED_BYTES: Final = 16 * 1024**2
# What a selection takes, a block, the place of a row in a block, and a row by id: the last may be
# one that the cache has forgotten.
SELECTION_BYTES: Final = 4000
BLOCK_BYTES: Final = 600
PLACE_BYTES: Final = 60
ROW_BYTES: Final = 700


class Rendered:
    """The JSON of the rows of one selection; `bytes` is what it counts for."""

    def __init__(self, memory: "RenderedRows") -> None:
        self.bytes = 0
        self._memory = memory

    def count(self, size: int) -> None:
        """Counts bytes that were added, and makes room for them."""
        self._memory.count(self, size if self.bytes else size + SELECTION_BYTES)

    def clear(self) -> None:
        """Forgets all JSON."""
        self.bytes = 0


Kind = TypeVar("Kind", bound=Rendered)


class RenderedRows:
    """The JSON of the rows of all selections, at most `maximum_bytes` of it.

    Beyond that, the selection that was used least recently forgets its rows.
    """

    def __init__(self, maximum_bytes: int = RENDERED_BYTES) -> None:
        self.bytes = 0
        self._maximum_bytes = maximum_bytes
        self._filled: OrderedDict[Rendered, None] = OrderedDict()
        self._known: WeakValueDictionary[Hashable, Rendered] = WeakValueDictionary()

    def shared(self, key: Hashable, new: Callable[["RenderedRows"], Kind]) -> Kind:
        """Returns what renders a selection: all plans share it, for as long as one has it."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = new(self)
        return cast(Kind, known)

    def use(self, rendered: Rendered) -> None:
        """Notes that a selection was used."""
        if rendered in self._filled:
            self._filled.move_to_end(rendered)

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


class RenderedById(Rendered, Generic[Row]):
    """The JSON of rows by the text of an id in a request.

    `_current` are the rows that the cache has, while that has the version `_version`.
    """

    def __init__(self, row: RowJson[Row], memory: RenderedRows) -> None:
        super().__init__(memory)
        self._row = row
        self._shown: dict[str, Shown[Row]] = {}
        self._current: dict[str, Shown[Row]] = {}
        self._version = 0

    def find(
        self, texts: Sequence[str], version: int, after: float, before: float
    ) -> list[Shown[Row]] | None:
        """Returns rows that the cache has in this version, and that were read between two times.

        None if one of them is not there.
        """
        self._memory.use(self)
        if version != self._version:
            self._current.clear()
            self._version = version
        known = self._current.get
        found: list[Shown[Row]] = []
        for text in texts:
            shown = known(text)
            if shown is None or not after < shown[0] < before:
                return None
            found.append(shown)
        return found

    def add(self, text: str, entry: Entry[Row | None]) -> Shown[Row]:
        """Renders an entry of the cache, in the version of the last `find`; raises `NotPlanned`.

        Equal rows have the same JSON, so a row that was read again is not rendered again.
        """
        row, earlier = entry.value, self._shown.get(text)
        if earlier is not None and earlier.row == row:
            json, added = earlier.json, 0
        else:
            json = b"null" if row is None else self._row.make(row)
            added = len(json) + ROW_BYTES
            if earlier is not None:
                added -= len(earlier.json) + ROW_BYTES
        shown = self._shown[text] = self._current[text] = Shown(entry.read_at, row, json)
        if added:
            self.count(added)
        return shown

    def clear(self) -> None:
        """Forgets all JSON."""
        super().clear()
        self._shown.clear()
        self._current.clear()


class RenderedBlocks(Rendered, Generic[Row]):
    """The JSON of the rows of blocks; `make` returns that of one row and its cursor."""

    def __init__(self, make: Callable[[str, Row], bytes], memory: RenderedRows) -> None:
        super().__init__(memory)
        self._make = make
        # By the list and the index: a block that was read again takes the place of the older one.
        self._blocks: dict[tuple[str, int], _BlockJson[Row]] = {}

    def rows(self, page: Slice[Row]) -> Json:
        """Returns the JSON of a page's rows, with commas between; raises `NotPlanned`."""
        self._memory.use(self)
        if page.parts is None:
            return b",".join(map(self._make, page.cursors, page.rows))
        parts = [
            self._part((page.list_name, block.index), page.block_cursors(block, low), low, high)
            for block, low, high in page.parts
        ]
        return parts[0] if len(parts) == 1 else b",".join(parts)

    def _part(self, key: tuple[str, int], cursors: BlockCursors[Row], low: int, high: int) -> Json:
        block = self._blocks.get(key)
        counted = 0 if block is None else block.bytes
        if block is None or block.cursors() is not cursors:
            block = self._blocks[key] = _BlockJson(cursors)
        try:
            return block.between(low, high, self._make, cursors)
        finally:
            if block.bytes != counted:
                self.count(block.bytes - counted)

    def clear(self) -> None:
        """Forgets all JSON."""
        super().clear()
        self._blocks.clear()


class _BlockJson(Generic[Row]):
    """The JSON of a block's rows, made as it is asked for.

    Once all of it is there it is one text, of which a page is a part. It does not keep the rows.
    """

    def __init__(self, cursors: BlockCursors[Row]) -> None:
        self.cursors = ref(cursors)
        self.bytes = BLOCK_BYTES + PLACE_BYTES * len(cursors.rows)
        self._rows: list[bytes | None] = [None] * len(cursors.rows)
        self._text = memoryview(b"")
        # Where each row begins in the text, and where one after the last would.
        self._starts = array("L")

    def between(
        self,
        low: int,
        high: int,
        make: Callable[[str, Row], bytes],
        cursors: BlockCursors[Row],
    ) -> Json:
        if not self._text:
            if None in self._rows[low:high]:
                self._fill(low, high, make, cursors)
            if None in self._rows:
                return b",".join(_all(self._rows[low:high]))
            rows = _all(self._rows)
            self._text = memoryview(b",".join(rows))
            self._starts.extend(accumulate((len(row) + 1 for row in rows), initial=0))
            self._rows = []
        return self._text[self._starts[low] : self._starts[high] - 1]

    def _fill(
        self,
        low: int,
        high: int,
        make: Callable[[str, Row], bytes],
        cursors: BlockCursors[Row],
    ) -> None:
        for at, cursor in enumerate(cursors.between(low, high), low):
            row = cursors.rows[at]
            if self._rows[at] is None and row is not None and cursor is not None:
                json = self._rows[at] = make(cursor, row)
                self.bytes += len(json)


def _all(rows: Iterable[bytes | None]) -> Sequence[bytes]:
    return [row for row in rows if row is not None]
