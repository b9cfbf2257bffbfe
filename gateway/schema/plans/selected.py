"""The fields of an operation's selections, as graphql-core collects and merges them."""

from typing import Any, NamedTuple

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema
from graphql.execution.collect_fields import FieldDetails, collect_fields, collect_subfields
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues

from gateway.schema.plans.inputs import NotPlanned
from gateway.schema.plans.rendered import RenderedRows
from gateway.schema.plans.selections import TYPENAME, Leaf, plain_attribute, to_json


class FieldGroup(NamedTuple):
    """A field to execute, in graphql-core's grouped field set: its key, name and merged nodes."""

    key: str
    name: str
    nodes: list[FieldDetails]


class Selected:
    """The selected fields of one operation, for the values of `@skip` and `@include` in it.

    `conditions` are the variables that have these values.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        executor: Executor[Any],
        conditions: VariableValues,
        rendered: RenderedRows,
    ) -> None:
        self.schema = schema
        self.operation = executor.operation
        self._fragments = executor.fragments
        self._conditions = conditions
        self.memory = rendered

    def fields_of_root(self, root: GraphQLObjectType) -> list[FieldGroup]:
        """Returns the fields of the operation itself."""
        found = collect_fields(self.schema, self._fragments, self._conditions, root, self.operation)
        return self._fields(found.grouped_field_set)

    def fields(self, of_type: GraphQLObjectType, below: FieldGroup) -> list[FieldGroup]:
        """Returns the fields below a field whose value is of this type."""
        found = collect_subfields(
            self.schema, self._fragments, self._conditions, self.operation, of_type, below.nodes
        )
        return self._fields(found.grouped_field_set)

    def _fields(self, grouped: dict[str, list[FieldDetails]]) -> list[FieldGroup]:
        return [FieldGroup(key, nodes[0].node.name.value, nodes) for key, nodes in grouped.items()]

    def leaves(self, of_type: GraphQLObjectType, below: FieldGroup) -> list[Leaf]:
        """Returns the fields of a row; raises `NotPlanned` unless all are plain attributes."""
        leaves = []
        for key, name, _ in self.fields(of_type, below):
            attribute = None if name == TYPENAME else _attribute(of_type.fields[name])
            leaves.append(Leaf(key, attribute))
        return leaves


def _attribute(field: GraphQLField) -> str:
    attribute = plain_attribute(field)
    if attribute is None or field.args:
        raise NotPlanned
    return attribute


class ObjectJson:
    """The JSON of an object whose keys have constants or, from `%b`, places for values."""

    def __init__(self, of_type: GraphQLObjectType) -> None:
        self._type = of_type
        self._parts: list[bytes] = []

    def place(self, field: FieldGroup, *, is_list: bool = False) -> None:
        """Adds a key with a place for a value, or for the items of a list."""
        self.inner(field, b"[%b]" if is_list else b"%b")

    def inner(self, field: FieldGroup, template: bytes) -> None:
        """Adds a key with an inner template."""
        self._parts.append(to_json(field.key) + b":" + template)

    def constant(self, field: FieldGroup) -> None:
        """Adds `__typename`; raises `NotPlanned` for any other field."""
        if field.name != TYPENAME:
            raise NotPlanned
        self.inner(field, to_json(self._type.name))

    def template(self) -> bytes:
        """Returns the JSON, for the operator `%`: names of GraphQL have no percent sign."""
        return b"{" + b",".join(self._parts) + b"}"
