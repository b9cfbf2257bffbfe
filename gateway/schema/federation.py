"""The directives of Apollo Federation in the graph, for composers and routers.

Source: Apollo Federation Subgraph Specification, and IBM's GraphQL Cost Directives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import strawberry
from strawberry import UNSET
from strawberry.federation.schema_directives import Cost, ListSize, Tag
from strawberry.schema_directive import Location
from strawberry.types.arguments import StrawberryArgumentAnnotation
from strawberry.types.enum import EnumValueDefinition

from gateway.pagination import DEFAULT_ROWS

# The newest version that both Apollo's and The Guild's composer support.
VERSION: Final[Literal["2.9"]] = "2.9"
# On each type, root field and argument, so that a contract can include or exclude this subgraph:
# The Guild's composer hides an argument that does not have the included tag itself.
TAGS: Final = ("segments",)
# On types that other subgraphs define, too: a contract that excludes this subgraph must keep them.
SHARED_TAGS: Final = ("shared",)
# By default an object, such as a row, weighs 1.
WEIGHT_OF_AN_UPSTREAM_REQUEST = 10


def argument(description: str) -> StrawberryArgumentAnnotation:
    """Returns the annotation of an argument: its description, and the tags of its field."""
    return strawberry.federation.argument(description=description, tags=TAGS)


def enum_value(value: str, description: str) -> EnumValueDefinition:
    """Returns a value of an enum with the tags of its type."""
    tags = [Tag(name=tag) for tag in TAGS]
    return strawberry.enum_value(value, description=description, directives=tags)


def costs(upstream_requests: int) -> Cost:
    """Returns the cost of a field by the upstream requests that it takes with an empty cache."""
    return Cost(weight=upstream_requests * WEIGHT_OF_AN_UPSTREAM_REQUEST)


def list_size(
    assumed: int, *, slicing: Sequence[str] | None = None, sized: Sequence[str] | None = None
) -> ListSize:
    """Returns the size of a list: that of the `slicing` arguments, else `assumed`.

    If the field is an object, `sized` names its subfields that are the list.
    """
    return ListSize(
        assumed_size=assumed,
        slicing_arguments=list(slicing) if slicing else UNSET,
        sized_fields=list(sized) if sized else UNSET,
        require_one_slicing_argument=False,
    )


def connection_size() -> ListSize:
    """Returns the size of a connection."""
    return list_size(DEFAULT_ROWS, slicing=["first", "last"], sized=["edges", "nodes"])


@strawberry.federation.schema_directive(
    locations=[Location.SCHEMA],
    name="contact",
    description="Whom to ask about this subgraph.",
)
class Contact:
    """Apollo's `@contact`, which GraphOS Studio shows."""

    name: str
    url: str | None = UNSET
    description: str | None = UNSET


@dataclass(frozen=True, slots=True)
class Federation:
    """The operator's settings for the subgraph.

    `node` is whether it offers `node` and `nodes`; only one subgraph of a graph can. `scopes` is
    whether its fields have `@requiresScopes`; `payload_query` is whether its mutations' payloads
    have `query`: The Guild's composer refuses that beside another subgraph.
    """

    contact_name: str = "bigcommerce-segments-gateway"
    contact_url: str | None = None
    node: bool = False
    scopes: bool = False
    payload_query: bool = False

    @property
    def contact(self) -> Contact:
        """The directive that names the contact."""
        return Contact(
            name=self.contact_name,
            url=self.contact_url or UNSET,
            description="Customer segments of a BigCommerce store, through its REST API.",
        )
