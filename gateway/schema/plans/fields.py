"""What a root field declares about itself, so that it can be planned.

A field has its declaration in the `metadata` of its Strawberry field, under `PLANNED`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic

from gateway.data_source import Collection, Lookups
from gateway.identity import AccessScope
from gateway.row import Row
from gateway.schema.context import Context

PLANNED: Final = "planned"


@dataclass(frozen=True, slots=True)
class ConnectionField(Generic[Row]):
    """A connection of a collection, with Relay's four arguments; `show` makes a row a node.

    `plain` has the values of further arguments that leave the list as it is, as variables have them
    and as GraphQL coerces them. Null does so, too. With any other value there is no plan.
    """

    collection: Collection[Row]
    show: Callable[[Row], object]
    plain: Mapping[str, Sequence[object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LookupField(Generic[Row]):
    """Rows of one type by ids: a list if the field's type is one, else the row of the only id.

    `ids` has, by the name of an argument, the function that returns the uuid of one of its values;
    it raises `GatewayError` where the field would have an error. `maximum_ids` is the length of the
    longest list. `scope` is the one of the rows. `type_name` is the rows' type in the graph.
    """

    collection: Collection[Row]
    lookups: Callable[[Context], Lookups[Row]]
    ids: Mapping[str, Callable[[Any], str]]
    maximum_ids: int
    show: Callable[[Row], object]
    type_name: str
    scope: AccessScope
    is_of_entities: bool = False
