"""Compiles an operation to a plan."""

from typing import cast

from graphql import GraphQLObjectType, OperationType

from gateway.identity import AccessScope
from gateway.schema.plans.connection import Connection
from gateway.schema.plans.fields import PLANNED, ConnectionField, LookupField
from gateway.schema.plans.inputs import NotPlanned, VariableReader
from gateway.schema.plans.lookup import Lookup
from gateway.schema.plans.plan import Plan, Render
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
    fields: list[tuple[slice, Render]] = []
    lookups: dict[str, list[Lookup]] = {}
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
                connection = Connection(selected, declared, one, definition)
                fields.append((slice(places, places + connection.places), connection.render))
                template.inner(one, connection.template)
                places += connection.places
            case LookupField() as declared:
                scopes.add(declared.scope)
                lookup = Lookup(selected, declared, one, definition, places)
                group = lookups.setdefault(declared.collection.name, [])
                if not any(other.takes(lookup) for other in group):
                    group.append(lookup)
                template.place(one, is_list=lookup.is_list)
                places += 1
            case _:
                raise NotPlanned
    return Plan(
        VariableReader(selected.schema, selected.operation),
        frozenset(scopes),
        template.template().split(b"%b"),
        fields,
        [*lookups.values()],
    )
