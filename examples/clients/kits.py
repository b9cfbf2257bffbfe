"""Writes `kits/`: what Relay, Apollo Client and urql need to know of the schema.

`make kits` runs it. All of it follows from the schema that clients see.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    introspection_from_schema,
    is_abstract_type,
    is_object_type,
)

from gateway.app import create_graph
from gateway.settings import Settings

FOLDER = Path(__file__).parent / "kits"
MADE = "// Made from the schema by `make kits`."
PAGING = {"first", "after", "last", "before"}
# What a scalar is in JSON, for the types that compilers write.
SCALARS = {"DateTime": "string"}

APOLLO = """\
{made}
import {{ relayStylePagination }} from "@apollo/client/utilities";

export const typePolicies = {{
{types}
}};
"""

GRAPHCACHE = """\
{made}
import {{ relayPagination }} from "@urql/exchange-graphcache/extras";

// The page before the first one that was read goes in front of it.
const pages = relayPagination({{ mergeMode: "outwards" }});

// For `cacheExchange({{ schema, ...graphcache }})`, with schema.json as `schema`.
export const graphcache = {{
  keys: {{
{keys}
  }},
  resolvers: {{
{resolvers}
  }},
}};
"""


def objects(schema: GraphQLSchema) -> Iterator[GraphQLObjectType]:
    """The object types of the schema, without those of introspection."""
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            yield kind


def is_connection(field: GraphQLField) -> bool:
    """Whether a field is a connection of Relay's specification."""
    kind = get_named_type(field.type)
    return is_object_type(kind) and {"edges", "pageInfo"} <= kind.fields.keys()


def connections(kind: GraphQLObjectType) -> dict[str, list[str]]:
    """The connections of a type, each with the arguments that make another list of it."""
    return {
        name: [argument for argument in field.args if argument not in PAGING]
        for name, field in kind.fields.items()
        if is_connection(field)
    }


def key(kind: GraphQLObjectType) -> str | None:
    """The field that identifies an object of the type; None for a part of another object."""
    return next((name for name in ("id", "entityId") if name in kind.fields), None)


def possible_types(schema: GraphQLSchema) -> dict[str, list[str]]:
    """The object types of each interface and union, as Apollo Client's `possibleTypes`."""
    return {
        name: sorted(possible.name for possible in schema.get_possible_types(kind))
        for name, kind in schema.type_map.items()
        if is_abstract_type(kind)
    }


def type_policies(schema: GraphQLSchema) -> str:
    """The module of Apollo Client's type policies."""
    types = []
    for kind in objects(schema):
        policy = []
        # Apollo Client knows `id` without a policy.
        if (field := key(kind)) and field != "id":
            policy.append(f'    keyFields: ["{field}"],\n')
        if pages := connections(kind):
            lists = "".join(
                f"      {name}: relayStylePagination({json.dumps(others) if others else ''}),\n"
                for name, others in pages.items()
            )
            policy.append(f"    fields: {{\n{lists}    }},\n")
        if policy:
            types.append(f"  {kind.name}: {{\n{''.join(policy)}  }},")
    return APOLLO.format(made=MADE, types="\n".join(types))


def graphcache(schema: GraphQLSchema) -> str:
    """The module of Graphcache's keys and resolvers."""
    keys, resolvers = [], []
    for kind in objects(schema):
        # Graphcache knows `id` without a key, and that connections, edges and payloads have none.
        if (field := key(kind)) and field != "id":
            keys.append(f"    {kind.name}: ({{ {field} }}) => {field},")
        if pages := connections(kind):
            lists = ", ".join(f"{name}: pages" for name in pages)
            resolvers.append(f"    {kind.name}: {{ {lists} }},")
    return GRAPHCACHE.format(made=MADE, keys="\n".join(keys), resolvers="\n".join(resolvers))


def as_json(value: object, indent: int | None = 2) -> str:
    """JSON that is the same for the same schema."""
    return json.dumps(value, indent=indent, ensure_ascii=False) + "\n"


def kits() -> dict[str, str]:
    """The text of each file, by its name."""
    schema = build_schema(create_graph(Settings()).api_sdl)
    relay = {
        "src": "src",
        "schema": "api.graphql",
        "language": "javascript",
        "eagerEsModules": True,
        "customScalarTypes": SCALARS,
    }
    return {
        "graphcache.js": graphcache(schema),
        "possibleTypes.json": as_json(possible_types(schema)),
        "relay.config.json": as_json(relay),
        # Graphcache takes names and types alone; descriptions would be half of a page's download.
        "schema.json": as_json(introspection_from_schema(schema, descriptions=False), indent=None),
        "typePolicies.js": type_policies(schema),
    }


if __name__ == "__main__":
    for name, text in kits().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
