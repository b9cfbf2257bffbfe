"""Rows of any collection by id: the JSON of a lookup."""

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from gateway.data_source import Lookups
from gateway.row import Identified
from gateway.schema.context import ROWS_TO_AN_ID
from gateway.schema.plans.fields import LookupField
from gateway.schema.plans.inputs import NotPlanned, written_arguments
from gateway.schema.plans.rendered import RenderedById, Shown
from gateway.schema.plans.run import Read, Run
from gateway.schema.plans.selected import FieldGroup, Selected
from gateway.schema.plans.selections import Json, RowJson

row_of: Callable[[Shown[Any]], Identified | None] = itemgetter(1)


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
        """Raises `NotPlanned` for two arguments, and if its rows have fields without a plan."""
        self.declared = declared
        written = [
            argument
            for argument in written_arguments(field, below.nodes[0].node)
            if argument.variable is not None or argument.constant is not None
        ]
        if len(written) != 1:
            raise NotPlanned  # which of two variables is null is known with their values
        self._asked = written
        self._places = [place]
        self.id_of = declared.ids[written[0].name]
        type_ = get_nullable_type(field.type)
        self.is_list = is_list_type(type_)
        if is_non_null_type(type_.of_type if isinstance(type_, GraphQLList) else field.type):
            raise NotPlanned  # a row that does not exist is null
        of_type = cast(GraphQLObjectType, selected.schema.type_map[declared.type_name])
        leaves = tuple(selected.leaves(of_type, below))
        row = RowJson(of_type, leaves, declared.show)
        # Representations are no texts: theirs are the uuids.
        spelling = None if declared.is_of_entities else self.id_of
        key = ("by id", declared.collection.name, of_type.name, leaves, declared.show, spelling)
        self.rendered: RenderedById[Any] = selected.memory.shared(key, partial(RenderedById, row))

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
            return [self.id_of(one) for one in texts]
        run.spend_rows(len(texts) * ROWS_TO_AN_ID)
        if self.is_list and len(texts) > self.declared.maximum_ids:
            raise NotPlanned
        return texts

    def read(self, run: Run, lookups: Lookups[Any], texts: Sequence[str]) -> Sequence[Shown[Any]]:
        """Returns the rows from the cache; raises `NotPlanned` unless all of them are ready."""
        is_of_entities = self.declared.is_of_entities
        ids = texts if is_of_entities else [self.id_of(text) for text in texts]
        entries = lookups.ready(ids)
        if entries is None:
            raise NotPlanned
        rows = [self.rendered.add(text, one) for text, one in zip(texts, entries, strict=True)]
        if rows:
            serve = partial(lookups.serve, ids, entries)
            run.reads.append(_read_of(self.declared, rows, serve))
        return rows

    def place(self, rows: Sequence[Shown[Any]], json: list[Json]) -> None:
        """Sets the JSON of these rows at the places of the fields."""
        if self.is_list:
            json[self._places[0]] = b",".join([row[2] for row in rows])
        else:
            for place, row in zip(self._places, rows, strict=True):
                json[place] = row[2]


def look_up(run: Run, group: Sequence[Lookup], json: list[Json]) -> None:
    """Looks up what the lookups of one collection ask for, and places the JSON of each."""
    declared = group[0].declared
    lookups: Lookups[Any] = declared.lookups(run.context)
    version, (after, before) = lookups.version, lookups.fresh_between()
    known: list[Shown[Any]] = []
    for lookup in group:
        texts = lookup.texts(run)
        rows = lookup.rendered.find(texts, version, after, before)
        if rows is None:
            lookup.place(lookup.read(run, lookups, texts), json)
        else:
            lookup.place(rows, json)
            known += rows
    if known:
        serve = partial(lookups.count_hits, len(set(map(id, known))))
        run.reads.append(_read_of(declared, known, serve))


def _read_of(
    declared: LookupField[Any], rows: Sequence[Shown[Any]], serve: Callable[[], None]
) -> Read:
    read_at = min([row[0] for row in rows])
    return Read(declared.collection.name, read_at, map(row_of, rows), serve)
