"""Rows of any collection by id: the JSON of a lookup."""

from collections.abc import Sequence
from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from gateway.schema.context import ROWS_TO_AN_ID
from gateway.schema.plans.fields import LookupField
from gateway.schema.plans.inputs import NotPlanned, argument_reader
from gateway.schema.plans.plan import Run
from gateway.schema.plans.selected import FieldGroup, Selected


class Lookup:
    """One root field that looks rows up."""

    def __init__(
        self,
        selected: Selected,
        declared: LookupField[Any],
        below: FieldGroup,
        field: GraphQLField,
    ) -> None:
        """Raises `NotPlanned` if its rows have fields without a plan."""
        self.declared = declared
        self._read_arguments = argument_reader(field, below.nodes[0].node)
        of_type = cast(GraphQLObjectType, selected.schema.type_map[declared.type_name])
        self._row = selected.row(of_type, below, declared.show)
        type_ = get_nullable_type(field.type)
        self._is_list = is_list_type(type_)
        if is_non_null_type(type_.of_type if isinstance(type_, GraphQLList) else field.type):
            raise NotPlanned  # a row that does not exist is null

    def ids(self, run: Run) -> Sequence[str]:
        """Returns the ids that the arguments ask for, and counts them."""
        ids = self.declared.ids(self._read_arguments(run.variables))
        if self.declared.is_of_entities:
            run.spend_representations(len(ids))
        else:
            run.spend_rows(len(ids) * ROWS_TO_AN_ID)
        return ids

    def render(self, rows: Sequence[Any]) -> bytes:
        """Returns the JSON of the rows, or of the only one; None is a row that does not exist."""
        if not self._is_list:
            return self._row.render_one(rows[0])
        if None in rows:
            return b"[%b]" % b",".join(map(self._row.render_one, rows))
        return b"[%b]" % b",".join(self._row.render(rows))
