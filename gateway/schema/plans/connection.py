"""A page of any collection: the JSON of a connection."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from graphql import GraphQLField, GraphQLObjectType, get_named_type

from gateway.pagination import Slice, Window, connection_arguments
from gateway.schema.plans.fields import ConnectionField
from gateway.schema.plans.inputs import NotPlanned, argument_reader
from gateway.schema.plans.plan import Render, Run
from gateway.schema.plans.selected import FieldGroup, ObjectJson, Selected, object_json
from gateway.schema.plans.selections import Rendered, RowSelection, to_json

# The JSON of one value of a page.
Value = Callable[[Slice[Any]], bytes]

PAGE_INFO: Final[dict[str, Value]] = {
    "hasNextPage": lambda page: to_json(page.has_next),
    "hasPreviousPage": lambda page: to_json(page.has_previous),
    "startCursor": lambda page: to_json(page.cursor(0) if page.rows else None),
    "endCursor": lambda page: to_json(page.cursor(-1) if page.rows else None),
}


def _node(selection: RowSelection[Any], _cursor: str, row: Any) -> bytes:
    return selection.make(row)


class _Page:
    """The selected fields of one connection."""

    def __init__(
        self,
        selected: Selected,
        declared: ConnectionField[Any],
        below: FieldGroup,
        field: GraphQLField,
    ) -> None:
        self._selected = selected
        self._declared = declared
        self._type = cast(GraphQLObjectType, get_named_type(field.type))
        # How often each row is shown, as `Context.spend_rows` counts it.
        self.times_shown = 0
        self.needs_rows = False
        self.needs_total = False
        template = ObjectJson(self._type)
        values: list[Value] = []
        for one in selected.fields(self._type, below):
            value = self._value(one)
            if value is None:
                template.constant(one)
            else:
                template.place(one)
                values.append(value)
        self.render = object_json(template.template(), values)
        # They hold the document, which a plan may outlive.
        del self._selected, self._declared

    def _value(self, field: FieldGroup) -> Value | None:
        match field.name:
            case "edges":
                self.needs_rows = True
                return self._edges(field)
            case "nodes":
                self.needs_rows = True
                self.times_shown += 1
                row = self._row(self._type, field)
                return lambda page: b"[%b]" % b",".join(row.render(page.rows))
            case "pageInfo":
                self.needs_rows = True
                return self._page_info(field)
            case "totalCount":
                self.needs_total = True
                return lambda page: to_json(page.total)
        return None

    def _edges(self, field: FieldGroup) -> Value:
        edge = self._type_of(self._type, field)
        template = ObjectJson(edge)
        parts: list[Callable[[str, Any], bytes]] = []
        nodes = 0
        for one in self._selected.fields(edge, field):
            if one.name == "cursor":
                template.place(one)
                parts.append(lambda cursor, _: to_json(cursor))
            elif one.name == "node":
                template.place(one)
                parts.append(partial(_node, self._row(edge, one)))
                nodes += 1
            else:
                template.constant(one)
        self.times_shown += max(1, nodes)
        text = template.template()
        # By cursor: a row that has moved has another one.
        rendered = Rendered[Any](self._selected.memory)

        def make_edge(cursor: str, row: Any) -> bytes:
            return text % tuple([part(cursor, row) for part in parts])

        return lambda page: b"[%b]" % b",".join(rendered.all_of(page.cursors, page.rows, make_edge))

    def _row(self, parent: GraphQLObjectType, field: FieldGroup) -> RowSelection[Any]:
        return self._selected.row(self._type_of(parent, field), field, self._declared.show)

    def _page_info(self, field: FieldGroup) -> Value:
        of_type = self._type_of(self._type, field)
        template = ObjectJson(of_type)
        values: list[Value] = []
        for one in self._selected.fields(of_type, field):
            if (value := PAGE_INFO.get(one.name)) is None:
                template.constant(one)
            else:
                template.place(one)
                values.append(value)
        return object_json(template.template(), values)

    def _type_of(self, parent: GraphQLObjectType, field: FieldGroup) -> GraphQLObjectType:
        named = get_named_type(parent.fields[field.name].type)
        if not isinstance(named, GraphQLObjectType):
            raise NotPlanned
        return named


def connection_json(
    selected: Selected, declared: ConnectionField[Any], below: FieldGroup, field: GraphQLField
) -> Render:
    """Returns the JSON of a connection; raises `NotPlanned` if it has fields without a plan."""
    read_arguments = argument_reader(field, below.nodes[0].node)
    page = _Page(selected, declared, below, field)
    collection = declared.collection

    def render(run: Run) -> bytes:
        given = read_arguments(run.variables)
        name = run.context.lists.of(collection).name
        arguments = connection_arguments(
            given.get("first"), given.get("after"), given.get("last"), given.get("before"), name
        )
        if page.needs_rows:
            counts = (arguments.first, arguments.last)
            rows = min(count for count in counts if count is not None)
            run.spend_rows(rows * page.times_shown)
            return page.render(run.page(collection, arguments))
        total = run.total(collection) if page.needs_total else 0
        return page.render(Slice({}, 1, Window(0, 0), total, name))

    return render
