"""The customers subgraph: customers of the store, who bear the raw uuids of their segments."""

import argparse
import os
from typing import Any, Self

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

VIP_CUSTOMERS = "1a466884-f3f4-4249-9c28-ff90a5aec797"
FIRST_TIME_BUYERS = "c0433cbd-7dab-4929-84a3-34bfc6cd75e9"
LOYALTY_GOLD = "eab06e9b-65ed-4de4-bdb4-304de01c683e"

# As GET /v3/customers?include=shopper_profile_id,segment_ids answers them, cut down to what is
# asked here.
CUSTOMERS: dict[int, dict[str, Any]] = {
    101: {
        "id": 101,
        "email": "ada@example.com",
        "shopper_profile_id": "5f0c1a52-7c0b-4c1e-8f0d-3f5f8a3c9e01",
        "segment_ids": [VIP_CUSTOMERS, LOYALTY_GOLD],
    },
    102: {
        "id": 102,
        "email": "grace@example.com",
        "shopper_profile_id": "9b1d7a34-2e65-4f4b-a1c8-6d0e5b7f2c02",
        "segment_ids": [FIRST_TIME_BUYERS, VIP_CUSTOMERS],
    },
    103: {
        "id": 103,
        "email": "alan@example.com",
        "shopper_profile_id": None,
        "segment_ids": [],
    },
}


@strawberry.federation.type(keys=[Key(fields=FieldSet("entityId"), resolvable=False)])
class Segment:
    """A reference to the gateway's segment: nothing but its key."""

    entity_id: strawberry.ID


@strawberry.type
class Customer:
    """A customer of the store."""

    entity_id: int
    email: str
    shopper_profile_id: strawberry.ID | None
    segments: list[Segment | None]

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        """Returns the customer of one row of BigCommerce's API."""
        return cls(
            entity_id=row["id"],
            email=row["email"],
            shopper_profile_id=row["shopper_profile_id"],
            segments=[Segment(entity_id=strawberry.ID(uuid)) for uuid in row["segment_ids"]],
        )


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def customers(self) -> list[Customer]:
        """Returns every customer, in the order of their ids."""
        return [Customer.from_row(row) for row in CUSTOMERS.values()]


schema = strawberry.federation.Schema(Query, federation_version="2.9")
app = Starlette(routes=[Route("/graphql", GraphQL(schema, graphql_ide=None))])


def main() -> None:
    """Serves the customers subgraph, or prints its SDL."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=8102, help="0 takes any free one")
    parser.add_argument("--sdl", action="store_true", help="print the SDL for composers, and end")
    arguments = parser.parse_args()
    if arguments.sdl:
        print(schema.as_str())
    else:
        uvicorn.run(app, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
