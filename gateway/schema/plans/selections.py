"""The JSON of rows: made once for each row and selection, in memory that is bounded in bytes."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, NamedTuple
from weakref import WeakValueDictionary

import msgspec
from graphql import (
    GraphQLLeafType,
    GraphQLObjectType,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from strawberry.types.field import StrawberryField

from gateway.row import Row
from gateway.schema.plans.inputs import NotPlanned

RENDERED_BYTES: Final = 16 * 1024**2
# What a row's JSON takes beside its bytes: the bytes object, the tuple, the entry of the dict, and
# the row itself once its block is gone.
OVERHEAD_BYTES: Final = 700
TYPENAME: Final = "__typename"

to_json = msgspec.json.Encoder().encode


# The name of the type, the leaves, and what makes a row an object.
SelectionKey = tuple[str, tuple["Leaf", ...], Callable[[Any], object]]


class Leaf(NamedTuple):
    """A selected field of a row's type; without `attribute` it is `__typename`."""

    key: str
    attribute: str | None


class Rendered(Generic[Row]):
    """JSON of rows by a key that they have in an answer, at rest.

    Equal rows have the same JSON, so a row that was read again is not rendered again.
    """

    def __init__(self, memory: "RenderedRows") -> None:
        self.bytes = 0
        self._json: dict[str, tuple[Row, bytes]] = {}
        self._memory = memory

    def all_of(
        self, keys: Iterable[str], rows: Iterable[Row], render: Callable[[str, Row], bytes]
    ) -> list[bytes]:
        """Returns the JSON of each row by its key; `render` makes what is not there."""
        known = self._json.get
        return [
            json[1]
            if (json := known(key)) is not None and json[0] is row
            else self._add(key, row, render)
            for key, row in zip(keys, rows, strict=True)
        ]

    def one(self, key: str, row: Row, render: Callable[[str, Row], bytes]) -> bytes:
        """Returns the JSON of one row."""
        json = self._json.get(key)
        return json[1] if json is not None and json[0] is row else self._add(key, row, render)

    def _add(self, key: str, row: Row, render: Callable[[str, Row], bytes]) -> bytes:
        earlier = self._json.get(key)
        if earlier is not None and earlier[0] == row:
            self._json[key] = row, earlier[1]
            return earlier[1]
        json = render(key, row)
        self._json[key] = row, json
        before = 0 if earlier is None else len(earlier[1]) + OVERHEAD_BYTES
        self._memory.count(self, len(json) + OVERHEAD_BYTES - before)
        return json

    def clear(self) -> None:
        """Forgets all JSON."""
        self._json.clear()
        self.bytes = 0


class RowSelection(Generic[Row]):
    """One selection of a type's plain attributes; `show` makes a row an object with these."""

    def __init__(
        self,
        of_type: GraphQLObjectType,
        leaves: Sequence[Leaf],
        show: Callable[[Row], object],
        memory: "RenderedRows",
    ) -> None:
        self._rendered = Rendered[Row](memory)
        self._show = show
        self._leaves = [_LeafOf(of_type, leaf) for leaf in leaves]

    def make(self, row: Row) -> bytes:
        """Returns the JSON of a row, made anew.

        Raises `NotPlanned` for a row that does not fit the schema.
        """
        shown = self._show(row)
        return b"{%b}" % b",".join([leaf.render(shown) for leaf in self._leaves])

    def render(self, rows: Sequence[Row]) -> list[bytes]:
        """Returns the JSON of each row; raises `NotPlanned`."""
        return self._rendered.all_of([row.id for row in rows], rows, self._make)

    def render_one(self, row: Row | None) -> bytes:
        """Returns the JSON of a row, or of one that does not exist; raises `NotPlanned`."""
        return b"null" if row is None else self._rendered.one(row.id, row, self._make)

    def _make(self, _: str, row: Row) -> bytes:
        return self.make(row)


class _LeafOf:
    def __init__(self, of_type: GraphQLObjectType, leaf: Leaf) -> None:
        self._key = to_json(leaf.key) + b":"
        self._attribute = leaf.attribute
        self._constant = self._key + to_json(of_type.name)
        if leaf.attribute is not None:
            type_ = next(
                field.type
                for field in of_type.fields.values()
                if plain_attribute(field) == leaf.attribute
            )
            self._is_required = is_non_null_type(type_)
            self._serialize: Callable[[Any], Any] = _leaf_type(get_nullable_type(type_)).serialize

    def render(self, shown: object) -> bytes:
        if self._attribute is None:
            return self._constant
        value = getattr(shown, self._attribute)
        if value is None:
            if self._is_required:
                raise NotPlanned  # graphql-core makes the error
            return self._key + b"null"
        return self._key + to_json(self._serialize(value))


def _leaf_type(type_: object) -> GraphQLLeafType:
    if not is_leaf_type(type_):
        raise NotPlanned
    return type_


def plain_attribute(field: Any) -> str | None:
    """Returns the attribute of which a field is the value, None if it has a resolver."""
    written = (field.extensions or {}).get("strawberry-definition")
    if isinstance(written, StrawberryField) and written.is_basic_field:
        return written.python_name
    return None


class RenderedRows:
    """The JSON of the rows of all selections, at most `maximum_bytes` of it.

    Beyond that, the selection whose rows were all there for longest forgets them.
    """

    def __init__(self, maximum_bytes: int = RENDERED_BYTES) -> None:
        self.bytes = 0
        self._maximum_bytes = maximum_bytes
        self._filled: OrderedDict[Rendered[Any], None] = OrderedDict()
        self._known: WeakValueDictionary[SelectionKey, RowSelection[Any]]
        self._known = WeakValueDictionary()

    def selection(
        self, of_type: GraphQLObjectType, leaves: Sequence[Leaf], show: Callable[[Row], object]
    ) -> RowSelection[Row]:
        """Returns the selection of these fields; all plans share it."""
        key = (of_type.name, tuple(leaves), show)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = RowSelection(of_type, leaves, show, self)
        return known

    def count(self, rendered: Rendered[Any], size: int) -> None:
        """Counts the bytes of a row that has been rendered, and makes room for them."""
        rendered.bytes += size
        self.bytes += size
        self._filled[rendered] = None
        self._filled.move_to_end(rendered)
        while self.bytes > self._maximum_bytes:
            oldest, _ = self._filled.popitem(last=False)
            self.bytes -= oldest.bytes
            oldest.clear()
