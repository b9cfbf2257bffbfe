"""Prints the schema in SDL, for composers and for clients."""

from graphql import (
    REMOVE,
    DirectiveNode,
    FieldDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    Visitor,
    VisitorAction,
    parse,
    print_ast,
    print_schema,
    visit,
)
from strawberry.schema import BaseSchema

# Composers expect every subgraph to have these, so its SDL leaves them out.
ROUTERS_FIELDS = frozenset({"_entities", "_service"})
ROUTERS_TYPES = frozenset({"_Any", "_Entity", "_Service"})
# A subgraph with these claims to find any object of the whole graph.
NODE_FIELDS = frozenset({"node", "nodes"})
# Routers that know it ask it of end users, and refuse them all until they are set up for that.
REQUIRES_SCOPES = "requiresScopes"


def subgraph_sdl(schema: BaseSchema, *, node: bool, scopes: bool, payload_query: bool) -> str:
    """Returns the subgraph's SDL for composers: with directives, without fields for routers.

    Scalars have no description: composers warn if subgraphs describe one differently.
    `node`: whether the subgraph offers `node` and `nodes`; `scopes`: whether routers ask for the
    scopes of fields, by `@requiresScopes`; `payload_query`: whether payloads of mutations have
    `query`.
    """
    fields = ROUTERS_FIELDS if node else ROUTERS_FIELDS | NODE_FIELDS
    directives = frozenset[str]() if scopes else frozenset({REQUIRES_SCOPES})
    document = visit(parse(schema.as_str()), _Pruning(fields, directives, payload_query))
    return print_ast(document).rstrip() + "\n"


def api_sdl(schema: BaseSchema) -> str:
    """Returns the API's SDL for clients' tools, without the directives of federation."""
    # Strawberry's own printer would print directives that the schema does not define.
    return print_schema(schema._schema).rstrip() + "\n"  # type: ignore[attr-defined] # only there


class _Pruning(Visitor):
    """Removes `fields` from Query, types for routers, `directives`, and scalars' descriptions.

    Without `payload_query`, it removes the fields that lead back to Query, too.
    """

    def __init__(
        self, fields: frozenset[str], directives: frozenset[str], payload_query: bool
    ) -> None:
        super().__init__()
        self._payload_query = payload_query
        self._fields = fields
        self._directives = directives
        self._imports = {f"@{name}" for name in directives}

    def enter(
        self, node: object, _key: object, _parent: object, _path: object, ancestors: list[object]
    ) -> VisitorAction | ScalarTypeDefinitionNode:
        if isinstance(node, TypeDefinitionNode) and node.name.value in ROUTERS_TYPES:
            return REMOVE
        if isinstance(node, DirectiveNode) and node.name.value in self._directives:
            return REMOVE
        if isinstance(node, StringValueNode) and node.value in self._imports:
            return REMOVE  # from the imports of `@link`
        if isinstance(node, ScalarTypeDefinitionNode):
            return ScalarTypeDefinitionNode(name=node.name, directives=node.directives)
        if isinstance(node, FieldDefinitionNode) and print_ast(node.type) == "Query!":
            return None if self._payload_query else REMOVE
        if isinstance(node, FieldDefinitionNode) and node.name.value in self._fields:
            (type_,) = (one for one in ancestors if isinstance(one, ObjectTypeDefinitionNode))
            return REMOVE if type_.name.value == "Query" else None
        return None
