"""What every resolver of one request shares."""

from dataclasses import dataclass

import strawberry

from gateway.data_source import SegmentSource
from gateway.errors import BadUserInput
from gateway.loaders import SegmentLoader


@dataclass(slots=True)
class Context:
    """The parts that resolvers read from, and how many rows this request may still ask for."""

    segments: SegmentSource
    segment_loader: SegmentLoader
    rows_left: int

    def spend_rows(self, rows: int) -> None:
        """Takes rows that a field asks for from the request's allowance.

        Raises `BadUserInput` when all fields of the request together ask for too many.
        """
        self.rows_left -= rows
        if self.rows_left < 0:
            raise BadUserInput(
                "The request asks for too many rows in all (GATEWAY_MAX_ROWS_PER_REQUEST). "
                "Ask for fewer with `first`, or send several requests."
            )


Info = strawberry.Info[Context, None]
