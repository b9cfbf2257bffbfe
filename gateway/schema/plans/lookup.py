"""Rows of any collection by id: the JSON of a lookup."""

from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from gateway.schema.context import ROWS_TO_AN_ID
from gateway.schema.plans.fields import LookupField
from gateway.schema.plans.inputs import NotPlanned, argument_reader
from gateway.schema.plans.plan import Render, Run
from gateway.schema.plans.selected import Selected, SelectedField


def lookup_json(
    selected: Selected, declared: LookupField[Any], below: SelectedField, field: GraphQLField
) -> Render:
    """Returns the JSON of a lookup; raises `NotPlanned` if its rows have fields without a plan."""
    read_arguments = argument_reader(field, below.nodes[0].node)
    of_type = cast(GraphQLObjectType, selected.schema.type_map[declared.type_name])
    row = selected.row(of_type, below, declared.show)
    type_: GraphQLOutputType = get_nullable_type(field.type)
    is_list = is_list_type(type_)
    if is_non_null_type(type_.of_type if is_list_type(type_) else field.type):
        raise NotPlanned  # a row that does not exist is null

    def render(run: Run) -> bytes:
        ids = declared.ids(read_arguments(run.variables))
        if declared.is_of_entities:
            run.spend_representations(len(ids))
        else:
            run.spend_rows(len(ids) * ROWS_TO_AN_ID)
        rows = run.look_up(declared.collection, declared.lookups(run.context), ids)
        json = [b"null" if one is None else row.render(one) for one in rows]
        return b"[%b]" % b",".join(json) if is_list else json[0]

    return render
