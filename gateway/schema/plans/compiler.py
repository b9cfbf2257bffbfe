"""Compiles an operation to a plan."""

from collections.abc import Mapping

from graphql import DocumentNode, GraphQLSchema, OperationType
from graphql.execution.executor import Executor

from gateway.identity import AccessScope
from gateway.schema.plans.connection import connection_json
from gateway.schema.plans.fields import PLANNED, ConnectionField, LookupField
from gateway.schema.plans.inputs import NotPlanned, VariableReader
from gateway.schema.plans.lookup import Lookup
from gateway.schema.plans.plan import LookupOfRows, Plan, Render
from gateway.schema.plans.selected import ObjectJson, Selected
from gateway.schema.plans.selections import RenderedRows
from gateway.schema.scopes import NamesScope


def compile_plan(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, object],
    rendered: RenderedRows,
) -> Plan:
    """Returns the plan of a valid operation, for the values of `@skip` and `@include` among these.

    Raises `NotPlanned` if it has a field, a type or a variable that plans do not know.
    """
    executor = Executor.build(
        schema, document, raw_variable_values=dict(variables), operation_name=operation_name
    )
    if isinstance(executor, list) or executor.operation.operation is not OperationType.QUERY:
        raise NotPlanned
    root = schema.query_type
    if root is None:
        raise NotPlanned
    selected = Selected(schema, executor, rendered)
    template = ObjectJson(root)
    scopes: set[AccessScope] = set()
    fields: list[tuple[int, Render]] = []
    lookups: dict[str, list[tuple[int, LookupOfRows]]] = {}
    places = 0
    for one in selected.fields_of_root(root):
        definition = root.fields.get(one.name)
        if definition is None:
            template.constant(one)
            continue
        written = definition.extensions["strawberry-definition"]
        scopes.update(x.scope for x in written.extensions if isinstance(x, NamesScope))
        match written.metadata.get(PLANNED):
            case ConnectionField() as declared:
                fields.append((places, connection_json(selected, declared, one, definition)))
            case LookupField() as declared:
                scopes.add(declared.scope)
                lookup = Lookup(selected, declared, one, definition)
                lookups.setdefault(declared.collection.name, []).append((places, lookup))
            case _:
                raise NotPlanned
        template.place(one)
        places += 1
    return Plan(
        VariableReader(schema, executor.operation),
        frozenset(scopes),
        template.template(),
        places,
        fields,
        [*lookups.values()],
        selected.size,
    )
