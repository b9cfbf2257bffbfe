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
from gateway.schema.plans.inputs import NotPlanned, written_arguments
from gateway.schema.plans.plan import Run
from gateway.schema.plans.rendered import RenderedById, Shown
from gateway.schema.plans.selected import FieldGroup, Selected
from gateway.schema.plans.selections import Json


class Lookup:
    """Root fields that look up rows by one argument of one selection.

    It is one field with a list of ids, or all fields with an id each.
    """

    def __init__(
        self,
        selected: Selected,
        declared: LookupField[Any],
        below: FieldGroup,
        field: GraphQLField,
        place: int,
    ) -> None:
        """Raises `NotPlanned` for two ids, and if its rows have fields without a plan."""
        self.declared = declared
        written = written_arguments(field, below.nodes[0].node)
        if len(written) != 1:
            raise NotPlanned  # graphql-core makes the error
        self._asked = written
        self._places = [place]
        self.id_of = declared.ids[written[0].name]
        type_ = get_nullable_type(field.type)
        self.is_list = is_list_type(type_)
        if is_non_null_type(type_.of_type if isinstance(type_, GraphQLList) else field.type):
            raise NotPlanned  # a row that does not exist is null
        of_type = cast(GraphQLObjectType, selected.schema.type_map[declared.type_name])
        leaves = selected.leaves(of_type, below)
        self.rendered: RenderedById[Any] = selected.memory.by_id(
            of_type, leaves, declared.show, str if declared.is_of_entities else self.id_of
        )

    def takes(self, other: "Lookup") -> bool:
        """Takes over what another lookup asks for, and returns True, if its rows are the same."""
        if self.is_list or other.is_list or self.rendered is not other.rendered:
            return False
        self._asked += other._asked
        self._places += other._places
        return True

    def texts(self, run: Run) -> Sequence[str]:
        """Returns the ids that are asked for, as they were written, and counts them."""
        variables = run.variables
        given = [
            constant if variable is None else variables.get(variable)
            for _, variable, constant in self._asked
        ]
        if None in given:
            raise NotPlanned
        texts = cast("Sequence[str]", given[0] if self.is_list else given)
        if self.declared.is_of_entities:
            run.spend_representations(len(texts))
            return [self.id_of(one) for one in texts]  # a representation is no text
        run.spend_rows(len(texts) * ROWS_TO_AN_ID)
        if self.is_list and len(texts) > self.declared.maximum_ids:
            raise NotPlanned
        return texts

    def place(self, rows: Sequence[Shown[Any]], json: list[Json]) -> None:
        """Sets the JSON of these rows at the places of the fields."""
        if self.is_list:
            json[self._places[0]] = b",".join([row[2] for row in rows])
        else:
            for place, row in zip(self._places, rows, strict=True):
                json[place] = row[2]
