"""The customers subgraph: the platform's own customers, with the store's ids as their keys."""

import argparse
import os
from collections.abc import Sequence

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL

# By their ids in the store, which has other names and e-mails for them.
CUSTOMERS = {
    2: {"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"},
    3: {"email": "grace@example.com", "first_name": "Grace", "last_name": "Hopper"},
    20001: {"email": "alan@example.com", "first_name": "Alan", "last_name": "Turing"},
}


@strawberry.federation.type(keys=["entityId"])
class Customer:
    """A customer of the platform, to which the gateway adds what the store knows.

    The gateway has an e-mail and names, too. `override` takes these fields from it: the router asks
    this subgraph alone.
    """

    entity_id: int
    email: str | None = strawberry.federation.field(override="segments")
    first_name: str | None = strawberry.federation.field(override="segments")
    last_name: str | None = strawberry.federation.field(override="segments")

    @classmethod
    def resolve_reference(cls, **key: int) -> "Customer | None":
        """Returns the customer that another subgraph refers to, None for an unknown one."""
        return find_customer(key["entityId"])


def find_customer(entity_id: int) -> Customer | None:
    """Returns the customer with this id of the store, or None."""
    row = CUSTOMERS.get(entity_id)
    return None if row is None else Customer(entity_id=entity_id, **row)


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def customers_by_ids(self, entity_ids: Sequence[int]) -> list[Customer | None]:
        """Returns the customers with these ids of the store, in their order."""
        return [find_customer(entity_id) for entity_id in entity_ids]


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
