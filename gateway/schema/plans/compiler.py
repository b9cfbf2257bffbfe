"""Compiles an operation to a plan."""

from typing import cast

from graphql import GraphQLObjectType, OperationType

from gateway.identity import AccessScope
from gateway.schema.plans.connection import connection_json
from gateway.schema.plans.fields import PLANNED, ConnectionField, LookupField
from gateway.schema.plans.inputs import NotPlanned, VariableReader
from gateway.schema.plans.lookup import Lookup
from gateway.schema.plans.plan import LookupOfRows, Plan, Render
from gateway.schema.plans.selected import ObjectJson, Selected
from gateway.schema.scopes import NamesScope


def compile_plan(selected: Selected) -> Plan:
    """Returns the plan of a valid operation.

    Raises `NotPlanned` if it has a field, a type or a variable that plans do not know.
    """
    if selected.operation.operation is not OperationType.QUERY:
        raise NotPlanned
    root = cast(GraphQLObjectType, selected.schema.query_type)
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
        VariableReader(selected.schema, selected.operation),
        frozenset(scopes),
        template.template(),
        places,
        fields,
        [*lookups.values()],
    )
