"""A plan of one operation, and its answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.errors import ErrorCode, GatewayError
from gateway.identity import AccessScope
from gateway.row import Identified
from gateway.schema.context import Context
from gateway.schema.plans.inputs import NotPlanned, VariableReader
from gateway.schema.plans.lookup import Lookup, look_up
from gateway.schema.plans.run import Read, Run
from gateway.schema.plans.selections import Json

Render = Callable[[Run], Sequence[Json]]


class PlannedAnswer(NamedTuple):
    """The JSON of `data` in parts, and what it shows."""

    data: Sequence[Json]
    reads: Sequence[Read]
    oldest_read_at: float | None
    is_stale: bool
    stale_because: ErrorCode | None = None

    @property
    def collections(self) -> set[str]:
        """The collections that it shows."""
        return {read.collection for read in self.reads}

    @property
    def rows(self) -> Iterable[Iterable[Identified | None]]:
        """The rows that it shows, to be iterated once."""
        return [read.rows for read in self.reads]

    def serve(self) -> None:
        """Counts hits; refreshes what is stale."""
        for read in self.reads:
            read.serve()


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled operation, for one combination of the values of `@skip` and `@include`.

    `scopes` are those that a client needs for all of its fields. `text` is the JSON between the
    values of the fields, each of which has a place. `lookups` are by collection.
    """

    variables: VariableReader
    scopes: frozenset[AccessScope]
    text: Sequence[bytes]
    fields: Sequence[tuple[slice, Render]]
    lookups: Sequence[Sequence[Lookup]]

    def answer(self, context: Context, variables: Mapping[str, object]) -> PlannedAnswer | None:
        """Returns the answer, None if it cannot be made from what is decoded in this process."""
        if not self.scopes <= context.client.scopes:
            return None
        try:
            run = Run(context, self.variables.read(variables))
            json: list[Json] = [b""] * (len(self.text) - 1)
            for group in self.lookups:
                look_up(run, group, json)
            for places, render in self.fields:
                json[places] = render(run)
        except (NotPlanned, GatewayError):
            return None
        reads = run.reads
        oldest = min([read.read_at for read in reads]) if reads else None
        is_stale = oldest is not None and context.lists.cache.freshness.is_stale(oldest)
        data: list[Json] = [b""] * (2 * len(json) + 1)
        data[::2], data[1::2] = self.text, json
        return PlannedAnswer(data, reads, oldest, is_stale)
