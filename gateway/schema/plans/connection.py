"""A page of any collection: the JSON of a connection."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, cast

from graphql import GraphQLField, GraphQLObjectType, get_named_type

from gateway.pagination import Slice, Window, connection_arguments
from gateway.schema.plans.fields import ConnectionField
from gateway.schema.plans.inputs import NotPlanned, argument_reader, written_arguments
from gateway.schema.plans.rendered import RenderedBlocks
from gateway.schema.plans.run import Run
from gateway.schema.plans.selected import FieldGroup, ObjectJson, Selected
from gateway.schema.plans.selections import Json, Leaf, RowJson, to_json

# The JSON of one value of a page.
Value = Callable[[Slice[Any]], Json]

PAGE_INFO: Final[dict[str, Value]] = {
    "hasNextPage": lambda page: to_json(page.has_next),
    "hasPreviousPage": lambda page: to_json(page.has_previous),
    "startCursor": lambda page: to_json(page.start_cursor),
    "endCursor": lambda page: to_json(page.end_cursor),
}

RELAY: Final = frozenset({"first", "after", "last", "before"})


class Connection:
    """The selected fields of one connection: a template, and the values for its places."""

    def __init__(
        self,
        selected: Selected,
        declared: ConnectionField[Any],
        below: FieldGroup,
        field: GraphQLField,
    ) -> None:
        """Raises `NotPlanned` if it has fields without a plan."""
        self._collection = declared.collection
        self._show = declared.show
        self._read_arguments = argument_reader(field, below.nodes[0].node)
        # Of further arguments that are variables, the values that have a plan.
        self._plain: list[tuple[str, Sequence[object]]] = []
        for name, variable, constant in written_arguments(field, below.nodes[0].node):
            plain = (None, *declared.plain.get(name, ()))
            if name not in RELAY and variable is not None:
                self._plain.append((name, plain))
            elif name not in RELAY and constant not in plain:
                raise NotPlanned
        # How often each row is shown, as `Context.spend_rows` counts it.
        self._times_shown = 0
        self._needs_rows = False
        self._needs_total = False
        self._values: list[Value] = []
        of_type = cast(GraphQLObjectType, get_named_type(field.type))
        template = ObjectJson(of_type)
        for one in selected.fields(of_type, below):
            self._add(selected, of_type, one, template)
        self.template = template.template()
        self.places = len(self._values)

    def render(self, run: Run) -> Sequence[Json]:
        """Returns the values of a page; raises `NotPlanned` unless all of it is ready."""
        given = self._read_arguments(run.variables)
        for name, plain in self._plain:
            if given.get(name) not in plain:
                raise NotPlanned
        source = run.context.lists.of(self._collection)
        arguments = connection_arguments(
            given.get("first"),
            given.get("after"),
            given.get("last"),
            given.get("before"),
            source.name,
        )
        if self._needs_rows:
            counts = (arguments.first, arguments.last)
            rows = min([count for count in counts if count is not None])
            run.spend_rows(rows * self._times_shown)
            page = run.page(source, arguments)
        else:
            total = run.total(source) if self._needs_total else 0
            page = Slice({}, 1, Window(0, 0), total, source.name)
        return [value(page) for value in self._values]

    def _add(
        self, selected: Selected, of_type: GraphQLObjectType, field: FieldGroup, to: ObjectJson
    ) -> None:
        match field.name:
            case "edges":
                self._needs_rows = True
                to.place(field, is_list=True)
                self._values.append(self._edges(selected, of_type, field))
            case "nodes":
                self._needs_rows = True
                self._times_shown += 1
                to.place(field, is_list=True)
                self._values.append(self._nodes(selected, of_type, field))
            case "pageInfo":
                self._needs_rows = True
                to.inner(field, self._page_info(selected, of_type, field))
            case "totalCount":
                self._needs_total = True
                to.place(field)
                self._values.append(lambda page: to_json(page.total))
            case _:
                to.constant(field)

    def _nodes(self, selected: Selected, of_type: GraphQLObjectType, field: FieldGroup) -> Value:
        node = _type_of(of_type, field)
        leaves = tuple(selected.leaves(node, field))
        row = RowJson(node, leaves, self._show)
        key = ("nodes", self._collection.name, node.name, leaves, self._show)
        make = partial(_node, row)
        return selected.memory.shared(key, partial(RenderedBlocks[Any], make)).rows

    def _edges(self, selected: Selected, of_type: GraphQLObjectType, field: FieldGroup) -> Value:
        edge = _type_of(of_type, field)
        template = ObjectJson(edge)
        # For each place: the node's type and leaves, None for the cursor.
        parts: list[tuple[GraphQLObjectType, tuple[Leaf, ...]] | None] = []
        for one in selected.fields(edge, field):
            if one.name == "cursor":
                template.place(one)
                parts.append(None)
            elif one.name == "node":
                template.place(one)
                node = _type_of(edge, one)
                parts.append((node, tuple(selected.leaves(node, one))))
            else:
                template.constant(one)
        text = template.template()
        self._times_shown += max(1, sum(part is not None for part in parts))
        makers = [
            _cursor if part is None else partial(_node, RowJson(*part, self._show))
            for part in parts
        ]
        leaves = tuple([None if part is None else (part[0].name, part[1]) for part in parts])

        def make_edge(cursor: str, row: Any) -> bytes:
            return text % tuple([make(cursor, row) for make in makers])

        key = ("edges", self._collection.name, text, leaves, self._show)
        return selected.memory.shared(key, partial(RenderedBlocks[Any], make_edge)).rows

    def _page_info(
        self, selected: Selected, of_type: GraphQLObjectType, field: FieldGroup
    ) -> bytes:
        info = _type_of(of_type, field)
        template = ObjectJson(info)
        for one in selected.fields(info, field):
            if (value := PAGE_INFO.get(one.name)) is None:
                template.constant(one)
            else:
                template.place(one)
                self._values.append(value)
        return template.template()


def _cursor(cursor: str, _: Any) -> bytes:
    return to_json(cursor)


def _node(row: RowJson[Any], _cursor: str, of_edge: Any) -> bytes:
    return row.make(of_edge)


def _type_of(parent: GraphQLObjectType, field: FieldGroup) -> GraphQLObjectType:
    named = get_named_type(parent.fields[field.name].type)
    if not isinstance(named, GraphQLObjectType):
        raise NotPlanned
    return named
