"""The context that all resolvers of one request share."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import strawberry

from gateway.bigcommerce import models
from gateway.data_source import Customers, Lists, Lookups
from gateway.data_source.writes import Writes
from gateway.errors import BadUserInput, GatewayError
from gateway.identity import Client
from gateway.schema.mutations.allowance import WriteAllowance
from gateway.schema.turns import Turns

# A lookup of 100 ids is one upstream request, as is a block of 250 rows. The higher price of an id
# keeps invented ids from draining the quota; a few hundred lookups are enough for any client.
ROWS_TO_AN_ID = 5
# Errors in the lists of one answer. Each has a path and a message, so more of them are larger than
# the rows whose place they take.
MAXIMUM_ROW_ERRORS = 100

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Context:
    """The client, the data sources of resolvers, and what this request has asked for so far.

    `values` are those of the answer, as weighed before the execution.
    """

    client: Client
    lists: Lists
    segment_lookups: Lookups[models.Segment]
    customers: Customers
    writes: Writes
    subgraph_sdl: str
    rows_allowed: int
    representations_allowed: int
    lists_allowed: int
    rows_asked: int = 0
    representations_asked: int = 0
    lists_asked: int = 0
    profiles_asked: int = 0
    turns: Turns = field(default_factory=Turns)
    values: float = 0
    errors: int = 0
    allowance: WriteAllowance = field(default_factory=WriteAllowance)

    def spend_rows(self, rows: int) -> None:
        """Counts rows that a field asks for against the request's allowance.

        Raises `BadUserInput` when all fields of the request together ask for too many.
        """
        self.rows_asked += rows
        if self.rows_asked > self.rows_allowed:
            raise BadUserInput(
                f"All fields of the request together ask for more than {self.rows_allowed} rows "
                f"(GATEWAY_MAX_ROWS_PER_REQUEST), where an id counts as {ROWS_TO_AN_ID}. Ask for "
                "fewer, or send several requests."
            )

    def spend_list(self) -> None:
        """Counts a list that is read apart; raises `BadUserInput` for too many of them.

        Each costs upstream requests, unlike lists of which a row has the ids, and unlike the list
        of segments, which all fields share.
        """
        self.lists_asked += 1
        if self.lists_asked > self.lists_allowed:
            raise BadUserInput(
                f"The request asks for more than {self.lists_allowed} lists that are read apart "
                "(GATEWAY_MAX_LISTS_PER_REQUEST), such as the profiles of each segment. Ask for "
                "fewer, or send several requests."
            )

    def spend_errors(self, errors: Sequence[GatewayError]) -> None:
        """Counts errors that take the place of rows; raises the last one if there are too many."""
        self.errors += len(errors)
        if errors and self.errors > MAXIMUM_ROW_ERRORS:
            raise errors[-1]

    def spend_representations(self, representations: int) -> None:
        """Counts entities that a router asks for; raises `BadUserInput` for too many of them."""
        is_first_beyond = self.representations_asked <= self.representations_allowed
        self.representations_asked += representations
        if self.representations_asked > self.representations_allowed:
            if is_first_beyond:  # log once per request
                log.warning("a router asked for more entities than GATEWAY_MAX_REPRESENTATIONS")
            raise BadUserInput(
                f"The request asks for more than {self.representations_allowed} entities. Ask for "
                "fewer at once, or have GATEWAY_MAX_REPRESENTATIONS of this subgraph raised."
            )


Info = strawberry.Info[Context, None]
