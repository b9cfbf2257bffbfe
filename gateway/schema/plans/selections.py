"""The JSON of a row: the plain attributes that an operation selects of it."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple

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

TYPENAME: Final = "__typename"

Json = bytes | memoryview
to_json = msgspec.json.Encoder().encode


class Leaf(NamedTuple):
    """A selected field of a row's type; without `attribute` it is `__typename`."""

    key: str
    attribute: str | None


class RowJson(Generic[Row]):
    """One selection of a type's plain attributes; `show` makes a row an object with these."""

    def __init__(
        self,
        of_type: GraphQLObjectType,
        leaves: Sequence[Leaf],
        show: Callable[[Row], object],
    ) -> None:
        self._show = show
        self._leaves = [_LeafOf(of_type, leaf) for leaf in leaves]

    def make(self, row: Row) -> bytes:
        """Returns the JSON of a row; raises `NotPlanned` for one that does not fit the schema."""
        shown = self._show(row)
        return b"{%b}" % b",".join([leaf.render(shown) for leaf in self._leaves])


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
