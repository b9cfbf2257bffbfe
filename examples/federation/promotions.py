"""The promotions subgraph: Relay-style, over promotions that name segments by raw uuid."""

import argparse
import os
from collections.abc import Iterable
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry import relay
from strawberry.asgi import GraphQL

VIP_CUSTOMERS = "1a466884-f3f4-4249-9c28-ff90a5aec797"
LAPSED_CUSTOMERS = "ede7bd0c-ffb8-4309-badb-890859001ac9"
LOYALTY_GOLD = "eab06e9b-65ed-4de4-bdb4-304de01c683e"
DELETED = "d00dfeed-5a1e-4c0d-9b1f-6f3f1e0a7c42"  # the store has no such segment any more


def _row(number: int, name: str, *segments: str) -> dict[str, Any]:
    return {"id": number, "name": name, "customer": {"segments": {"id": list(segments)}}}


# As GET /v3/promotions answers them, cut down to what is asked here.
PROMOTIONS = {
    row["id"]: row
    for row in (
        _row(1, "Free shipping", VIP_CUSTOMERS, LOYALTY_GOLD),
        _row(2, "Private sale", VIP_CUSTOMERS),
        _row(3, "Welcome back", LAPSED_CUSTOMERS, DELETED),
    )
}


@strawberry.federation.type(shareable=True, description="Information to aid in pagination.")
class PageInfo(relay.PageInfo):
    """Strawberry's own, for several subgraphs to answer."""


@strawberry.federation.type
class Promotion(relay.Node):
    """A promotion of the store; `segments` holds null for one that was deleted."""

    number: relay.NodeID[int]

    @strawberry.field
    def entity_id(self) -> int:
        """BigCommerce's own id."""
        return self.number

    @strawberry.field
    def name(self) -> str:
        """What shoppers see."""
        return str(PROMOTIONS[self.number]["name"])

    @strawberry.field
    def segments(self) -> list["Segment | None"]:
        """Whom it is for: the uuid is all that a promotion knows of a segment."""
        ids = PROMOTIONS[self.number]["customer"]["segments"]["id"]
        return [Segment(entity_id=strawberry.ID(uuid)) for uuid in ids]

    @classmethod
    def resolve_nodes(
        cls, *, info: strawberry.Info, node_ids: Iterable[str], required: bool = False
    ) -> Any:
        """Answers `node`: null for a number that no promotion has."""
        known = {str(number) for number in PROMOTIONS}
        return [cls(number=int(text)) if text in known else None for text in node_ids]


@strawberry.federation.type(keys=["entityId"])
class Segment:
    """The gateway's segment, to which this subgraph adds its promotions.

    Any uuid that a router sends is taken: whether there is such a segment, the gateway knows.
    """

    entity_id: strawberry.ID

    @strawberry.field
    def promotions(self) -> list[Promotion]:
        """Those that name this segment."""
        return [
            Promotion(number=number)
            for number, row in PROMOTIONS.items()
            if self.entity_id in row["customer"]["segments"]["id"]
        ]


@strawberry.type
class PromotionConnection(relay.ListConnection[Promotion]):
    """A Relay connection with the shareable `PageInfo`."""

    page_info: PageInfo


def all_promotions() -> list[Promotion]:
    """Returns every promotion, in the order of their ids."""
    return [Promotion(number=number) for number in PROMOTIONS]


@strawberry.type
class Query:
    """The root."""

    node: relay.Node | None = relay.node()
    promotions: PromotionConnection = relay.connection(resolver=all_promotions)


schema = strawberry.federation.Schema(Query, types=[Segment], federation_version="2.9")
app = Starlette(routes=[Route("/graphql", GraphQL(schema, graphql_ide=None))])


def main() -> None:
    """Serves the promotions subgraph, or prints its SDL."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=8101, help="0 takes any free one")
    parser.add_argument("--sdl", action="store_true", help="print the SDL for composers, and end")
    arguments = parser.parse_args()
    if arguments.sdl:
        print(schema.as_str())
    else:
        uvicorn.run(app, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
