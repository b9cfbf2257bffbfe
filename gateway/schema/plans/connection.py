"""A page of any collection: the JSON of a connection."""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from graphql import GraphQLField, GraphQLObjectType, get_named_type

from gateway.pagination import Slice, Window, connection_arguments
from gateway.schema.plans.fields import ConnectionField
from gateway.schema.plans.inputs import NotPlanned, argument_reader
from gateway.schema.plans.plan import Render, Run
from gateway.schema.plans.selected import ObjectJson, Selected, SelectedField, object_json, to_json

# Values of a page, in JSON: one of each row, and one of the page.
Column = Callable[[Slice[Any]], Sequence[bytes]]
Value = Callable[[Slice[Any]], bytes]


def _cursors(page: Slice[Any]) -> Sequence[bytes]:
    return [b'"%b"' % cursor.encode() for cursor in page.cursors]


PAGE_INFO: Final[dict[str, Value]] = {
    "hasNextPage": lambda page: to_json(page.has_next),
    "hasPreviousPage": lambda page: to_json(page.has_previous),
    "startCursor": lambda page: to_json(page.cursor(0) if page.rows else None),
    "endCursor": lambda page: to_json(page.cursor(-1) if page.rows else None),
}


class _Page:
    """The selected fields of one connection."""

    def __init__(
        self,
        selected: Selected,
        declared: ConnectionField[Any],
        below: SelectedField,
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

    def _value(self, field: SelectedField) -> Value | None:
        match field.name:
            case "edges":
                self.needs_rows = True
                return self._edges(field)
            case "nodes":
                self.needs_rows = True
                self.times_shown += 1
                nodes = self._nodes(self._type, field)
                return lambda page: b"[%b]" % b",".join(nodes(page))
            case "pageInfo":
                self.needs_rows = True
                return self._page_info(field)
            case "totalCount":
                self.needs_total = True
                return lambda page: to_json(page.total)
        return None

    def _edges(self, field: SelectedField) -> Value:
        edge = self._type_of(self._type, field)
        template = ObjectJson(edge)
        columns: list[Column] = []
        nodes = 0
        for one in self._selected.fields(edge, field):
            if one.name == "cursor":
                columns.append(_cursors)
                template.place(one)
            elif one.name == "node":
                columns.append(self._nodes(edge, one))
                template.place(one)
                nodes += 1
            else:
                template.constant(one)
        self.times_shown += max(1, nodes)
        text = template.template()

        def render(page: Slice[Any]) -> bytes:
            values = zip(*[column(page) for column in columns], strict=True)
            edges = [text % one for one in values] if columns else [text] * len(page.rows)
            return b"[%b]" % b",".join(edges)

        return render

    def _nodes(self, parent: GraphQLObjectType, field: SelectedField) -> Column:
        row = self._selected.row(self._type_of(parent, field), field, self._declared.show)
        return lambda page: row.render_all(page.rows)

    def _page_info(self, field: SelectedField) -> Value:
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

    def _type_of(self, parent: GraphQLObjectType, field: SelectedField) -> GraphQLObjectType:
        named = get_named_type(parent.fields[field.name].type)
        if not isinstance(named, GraphQLObjectType):
            raise NotPlanned
        return named


def connection_json(
    selected: Selected, declared: ConnectionField[Any], below: SelectedField, field: GraphQLField
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
