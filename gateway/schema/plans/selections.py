"""The JSON of rows: made once for each row and selection, in memory that is bounded in bytes."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple
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

from gateway.schema.plans.inputs import NotPlanned

RENDERED_BYTES: Final = 16 * 1024**2
# What a row's JSON takes beside its bytes: the bytes object, the tuple, the entry of the dict.
ROW_OVERHEAD_BYTES: Final = 250
TYPENAME: Final = "__typename"

to_json = msgspec.json.Encoder().encode


class Leaf(NamedTuple):
    """A selected field of a row's type; without `attribute` it is `__typename`."""

    key: str
    attribute: str | None


class RowSelection:
    """One selection of a type's plain attributes; `show` makes a row an object with these.

    Equal rows have the same JSON, so a row that was read again is not rendered again.
    """

    def __init__(
        self,
        of_type: GraphQLObjectType,
        leaves: Sequence[Leaf],
        show: Callable[[Any], object],
        memory: "RenderedRows",
    ) -> None:
        self.bytes = 0
        self._rows: dict[str, tuple[Any, bytes]] = {}
        self._show = show
        self._memory = memory
        self._leaves = [_LeafOf(of_type, leaf) for leaf in leaves]

    def render(self, row: Any) -> bytes:
        """Returns the JSON of a row; raises `NotPlanned` for one that does not fit the schema."""
        rendered = self._rows.get(row.id)
        if rendered is not None:
            if rendered[0] is row:
                return rendered[1]
            if rendered[0] == row:
                self._rows[row.id] = (row, rendered[1])
                return rendered[1]
            self._memory.count(self, -len(rendered[1]) - ROW_OVERHEAD_BYTES)
        shown = self._show(row)
        json = b"{%b}" % b",".join([leaf.render(shown) for leaf in self._leaves])
        self._rows[row.id] = (row, json)
        self._memory.count(self, len(json) + ROW_OVERHEAD_BYTES)
        return json

    def render_all(self, rows: Iterable[Any]) -> list[bytes]:
        """Returns the JSON of each row."""
        known = self._rows.get
        return [
            rendered[1]
            if (rendered := known(row.id)) is not None and rendered[0] is row
            else self.render(row)
            for row in rows
        ]

    def clear(self) -> None:
        """Forgets all JSON."""
        self._rows.clear()
        self.bytes = 0


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

    Beyond that, the selection that has rendered nothing for longest forgets its rows.
    """

    def __init__(self, maximum_bytes: int = RENDERED_BYTES) -> None:
        self.bytes = 0
        self._maximum_bytes = maximum_bytes
        self._filled: OrderedDict[RowSelection, None] = OrderedDict()
        self._known: WeakValueDictionary[tuple[str, tuple[Leaf, ...]], RowSelection]
        self._known = WeakValueDictionary()

    def selection(
        self, of_type: GraphQLObjectType, leaves: Sequence[Leaf], show: Callable[[Any], object]
    ) -> RowSelection:
        """Returns the selection of these fields; all plans share it."""
        key = (of_type.name, tuple(leaves))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = RowSelection(of_type, leaves, show, self)
        return known

    def count(self, selection: RowSelection, size: int) -> None:
        """Counts the bytes of a row that a selection has rendered, and makes room for them."""
        selection.bytes += size
        self.bytes += size
        self._filled[selection] = None
        self._filled.move_to_end(selection)
        while self.bytes > self._maximum_bytes:
            oldest, _ = self._filled.popitem(last=False)
            self.bytes -= oldest.bytes
            oldest.clear()
