"""What composers and routers read of the graph: Apollo Federation's directives, as it bears them.

Source: Apollo Federation Subgraph Specification, and IBM's GraphQL Cost Directives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import strawberry
from strawberry import UNSET
from strawberry.federation.schema_directives import Cost, ListSize
from strawberry.schema_directive import Location
from strawberry.types.arguments import StrawberryArgumentAnnotation

# The newest that Strawberry prints and both composers take: The Guild's knows none above it.
VERSION: Final[Literal["2.9"]] = "2.9"
# On each type of ours, root field and argument, so that a contract can include or exclude this part
# of a graph: The Guild's hides an argument that does not bear the included tag itself.
TAGS: Final = ("segments",)
# On the types that other subgraphs have, too: to exclude ours must not hide theirs.
SHARED_TAGS: Final = ("shared",)
# An object, as each row is, weighs 1 where nothing else is said.
WEIGHT_OF_AN_UPSTREAM_REQUEST = 10


def argument(description: str) -> StrawberryArgumentAnnotation:
    """Returns what is to be told of an argument, tagged as its field is."""
    return strawberry.federation.argument(description=description, tags=TAGS)


def costs(upstream_requests: int) -> Cost:
    """Returns the cost of a field that, with nothing cached, may take so many upstream requests."""
    return Cost(weight=upstream_requests * WEIGHT_OF_AN_UPSTREAM_REQUEST)


def list_size(
    assumed: int, *, slicing: Sequence[str] | None = None, sized: Sequence[str] | None = None
) -> ListSize:
    """Returns how long a list gets: `assumed` where no argument of `slicing` says.

    `sized` are the fields below that hold the list, where the field itself is none.
    """
    return ListSize(
        assumed_size=assumed,
        slicing_arguments=list(slicing) if slicing else UNSET,
        sized_fields=list(sized) if sized else UNSET,
        require_one_slicing_argument=False,
    )


@strawberry.federation.schema_directive(
    locations=[Location.SCHEMA],
    name="contact",
    description="Whom to ask about this subgraph.",
)
class Contact:
    """Apollo's `@contact`: shown in GraphOS Studio, and beside what its checks find."""

    name: str
    url: str | None = UNSET
    description: str | None = UNSET


@dataclass(frozen=True, slots=True)
class Federation:
    """What the one who runs the subgraph decides of it.

    `node` is whether it offers `node` and `nodes` to the larger graph: one subgraph of a graph can.
    """

    contact_name: str = "bigcommerce-segments-gateway"
    contact_url: str | None = None
    node: bool = False

    @property
    def contact(self) -> Contact:
        """Whom to ask, as the directive that tells it."""
        return Contact(
            name=self.contact_name,
            url=self.contact_url or UNSET,
            description="Customer segments of a BigCommerce store, read through its REST API.",
        )
