"""The cost of an operation before it is executed: the values of its answer, and their bytes.

A document is weighed once: what depends on variables stays open in its `Weight`. Rows come from
`@listSize` of the field, as for routers, and from the length of lists of ids. The lists of a
mutation's payload are as long as those of its input.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_input_object_type,
    is_list_type,
    value_from_ast_untyped,
)
from strawberry.federation.schema_directives import ListSize

from gateway.pagination import MAXIMUM_ROWS
from gateway.schema.introspected import lengths_of

# 2500 rows of an edge, its cursor and a node of six fields are less.
MAXIMUM_VALUES = 25_000
MAXIMUM_BYTES = 2_000_000
# A root field takes as long as this many values of a row: it has a resolver and awaits. So does a
# connection of a row.
VALUES_OF_A_ROOT_FIELD = 20
# So does one of introspection, whose lists are resolved one by one.
VALUES_OF_INTROSPECTION = 3
# What a value takes in JSON, quotes included; other types are lists and objects.
BYTES = {"ID": 62, "String": 80, "DateTime": 26, "Int": 4, "Boolean": 5}
# Beside a value, JSON has the quotes of its key, a colon and a comma.
BYTES_BESIDE = 4

Variables = Mapping[str, object]
Value = Callable[[Variables], object]
Rows = Callable[[Variables], float]


@dataclass(slots=True)
class Weight:
    """Values and bytes of a selection; each of its `lists` has rows, known with the variables."""

    values: float = 0
    bytes: float = 0
    lists: list[tuple[Rows, "Weight"]] = field(default_factory=list)

    def add(self, inner: "Weight") -> None:
        """Adds another selection."""
        self.values += inner.values
        self.bytes += inner.bytes
        self.lists += inner.lists

    def of(self, variables: Variables) -> tuple[float, float]:
        """Returns the values and the bytes for these variables."""
        values, size = self.values, self.bytes
        for rows, inner in self.lists:
            number = rows(variables)
            of_row, bytes_of_row = inner.of(variables)
            values += number * of_row
            size += number * bytes_of_row
        return values, size


class Weigher:
    """Weighs the operations of valid documents for one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._introspected = lengths_of(schema)

    def weigh(self, document: DocumentNode, operation: OperationDefinitionNode) -> Weight:
        """Returns the weight of an operation; `@skip` and `@include` count as included."""
        root = cast(GraphQLObjectType, self._schema.get_root_type(operation.operation))
        fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        defaults = {
            node.variable.name.value: value_from_ast_untyped(node.default_value)
            for node in operation.variable_definitions or ()
            if node.default_value is not None
        }
        measure = _Measure(self._schema, self._introspected, root, fragments, defaults)
        weight = measure.selected(root, [operation.selection_set], {})
        weight.values += VALUES_OF_A_ROOT_FIELD * measure.fields_of_root
        return weight


def check_cost(values: float, size: float) -> list[GraphQLError]:
    """Returns an error if an answer has too many values, or too many bytes."""
    if values > MAXIMUM_VALUES:
        what = f"{MAXIMUM_VALUES} values, which are its fields times their rows"
    elif size > MAXIMUM_BYTES:
        what = f"{MAXIMUM_BYTES} bytes"
    else:
        return []
    message = f"The answer would have more than {what}. Ask for less, or send several requests."
    return [GraphQLError(message)]


class _Measure:
    def __init__(
        self,
        schema: GraphQLSchema,
        introspected: Mapping[tuple[str, str], float],
        root: GraphQLObjectType,
        fragments: Mapping[str, FragmentDefinitionNode],
        defaults: Variables,
    ) -> None:
        self._schema = schema
        self._introspected = introspected
        self._fragments = fragments
        self._defaults = defaults
        # A mutation's payload has the query root below it.
        self._roots = {root.name, cast(GraphQLObjectType, schema.query_type).name}
        self.fields_of_root = 0

    def selected(
        self,
        parent: GraphQLCompositeType,
        selection_sets: Sequence[SelectionSetNode],
        rows_of: Mapping[str, Rows],
    ) -> Weight:
        """Returns the weight of selection sets that are merged; `rows_of` are subfields' rows."""
        merged: dict[tuple[str, str], list[FieldNode]] = {}
        for selection_set in selection_sets:
            self._collect(parent, selection_set, merged)
        weight = Weight()
        for (type_name, key), nodes in merged.items():
            owner = cast(GraphQLCompositeType, self._schema.type_map[type_name])
            definition = self._schema.get_field(owner, nodes[0].name.value)
            self._add(weight, type_name, key, nodes, cast(GraphQLField, definition), rows_of)
        return weight

    def _collect(
        self,
        parent: GraphQLCompositeType,
        selection_set: SelectionSetNode,
        merged: dict[tuple[str, str], list[FieldNode]],
    ) -> None:
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                key = (node.alias or node.name).value
                merged.setdefault((parent.name, key), []).append(node)
                continue
            inner: InlineFragmentNode | FragmentDefinitionNode
            if isinstance(node, FragmentSpreadNode):
                inner = self._fragments[node.name.value]
            else:
                inner = cast(InlineFragmentNode, node)
            narrowed = parent
            if inner.type_condition is not None:
                named = self._schema.type_map[inner.type_condition.name.value]
                narrowed = cast(GraphQLCompositeType, named)
            self._collect(narrowed, inner.selection_set, merged)

    def _add(
        self,
        weight: Weight,
        type_name: str,
        key: str,
        nodes: Sequence[FieldNode],
        definition: GraphQLField,
        rows_of: Mapping[str, Rows],
    ) -> None:
        node = nodes[0]
        named = get_named_type(definition.type)
        weight.values += VALUES_OF_INTROSPECTION if type_name[:2] == "__" else 1
        weight.bytes += len(key) + BYTES_BESIDE + BYTES.get(named.name, 2)
        if type_name in self._roots and node.name.value[:2] != "__":
            self.fields_of_root += 1
        rows = rows_of.get(node.name.value)
        if not is_composite_type(named):
            if rows is not None:  # a list of ids
                weight.lists.append((rows, Weight(1, BYTES_BESIDE + BYTES.get(named.name, 2))))
            return
        size = _list_size(definition)
        below: dict[str, Rows] = {}
        if size is not None and size.sized_fields:
            page = self._page(size, node)
            if type_name not in self._roots:
                weight.values += VALUES_OF_A_ROOT_FIELD
            below = dict.fromkeys(size.sized_fields, page)
        elif (items := self._items(node, definition)) is not None:
            payload = cast(GraphQLObjectType, named)
            below = dict.fromkeys(_lists_of(payload), items)
        elif is_list_type(get_nullable_type(definition.type)) and rows is None:
            rows = self._rows(type_name, node, definition)
        elif (type_name, node.name.value) in self._introspected:  # `ofType`
            rows = _constant(self._introspected[type_name, node.name.value])
        inner = self.selected(named, [n.selection_set for n in nodes if n.selection_set], below)
        if rows is None:
            weight.add(inner)
        else:
            inner.values += 1
            weight.lists.append((rows, inner))

    def _page(self, size: ListSize, node: FieldNode) -> Rows:
        given = [self._argument(node, name) for name in size.slicing_arguments or ()]
        return partial(_smallest, [value for value in given if value], size.assumed_size or 0)

    def _items(self, node: FieldNode, definition: GraphQLField) -> Rows | None:
        """Returns the items in all lists of a field's input object, None if it has no such list."""
        for name, argument in definition.args.items():
            input_type = get_nullable_type(argument.type)
            if is_input_object_type(input_type) and (lists := _lists_of(input_type)):
                value = self._argument(node, name)
                return partial(_length_of_all, lists, value) if value else _constant(0)
        return None

    def _rows(self, type_name: str, node: FieldNode, definition: GraphQLField) -> Rows:
        for name, argument in definition.args.items():
            if is_list_type(get_nullable_type(argument.type)):
                value = self._argument(node, name)
                return partial(_length, value) if value else _constant(0)
        return _constant(self._introspected.get((type_name, node.name.value), MAXIMUM_ROWS))

    def _argument(self, node: FieldNode, name: str) -> Value | None:
        for argument in node.arguments or ():
            if argument.name.value == name:
                return self._value(argument.value)
        return None

    def _value(self, node: ValueNode) -> Value:
        if isinstance(node, VariableNode):
            name = node.name.value
            default = self._defaults.get(name)
            return lambda variables: variables.get(name, default)
        if isinstance(node, ObjectValueNode):
            fields = {field.name.value: self._value(field.value) for field in node.fields}
            return lambda variables: {name: of(variables) for name, of in fields.items()}
        if isinstance(node, ListValueNode):
            constant: object = node.values  # its items may be variables; only its length counts
        else:
            constant = value_from_ast_untyped(node)
        return lambda _: constant


def _list_size(definition: GraphQLField) -> ListSize | None:
    """Returns `@listSize` of a field, None if it has none."""
    written = definition.extensions.get("strawberry-definition")
    for directive in written.directives if written else ():
        if isinstance(directive, ListSize):
            return directive
    return None


def _constant(number: float) -> Rows:
    return lambda _: number


def _smallest(given: Sequence[Value], assumed: int, variables: Variables) -> float:
    """Returns the rows of a page, at most the maximum: execution refuses more than that."""
    numbers = [number for value in given if isinstance(number := value(variables), int | float)]
    return min(max(0, min(numbers, default=assumed)), MAXIMUM_ROWS)


def _lists_of(type_: GraphQLObjectType | GraphQLInputObjectType) -> list[str]:
    """Returns the names of the fields of a type that are lists."""
    return [
        name for name, field in type_.fields.items() if is_list_type(get_nullable_type(field.type))
    ]


def _length_of_all(lists: Sequence[str], value: Value, variables: Variables) -> float:
    """Returns the length of an input object's lists together."""
    found = value(variables)
    if not isinstance(found, Mapping):
        return 0
    given = [found[name] for name in lists if found.get(name) is not None]
    return sum(len(one) if isinstance(one, list | tuple) else 1 for one in given)


def _length(value: Value, variables: Variables) -> float:
    """Returns the length of a list; a value that is none is a list of one (GraphQL, 3.11)."""
    found = value(variables)
    return len(found) if isinstance(found, list | tuple) else 1
