"""Reads the upstream's answers, and logs what cannot be used."""

import logging

from gateway.bigcommerce.models import Page, Segment
from gateway.bigcommerce.protocol import Answer, Request, read_segments
from gateway.errors import UpstreamUnreadable

log = logging.getLogger(__name__)


class SegmentReader:
    """Reads pages of segments; that a row has no usable id is a warning once in a process."""

    def __init__(self) -> None:
        self._has_warned = False

    def read(
        self, request: Request, answer: Answer, page: int, limit: int, at_most: int | None = None
    ) -> Page[Segment]:
        """Returns the page that answers a request, or raises, as `read_segments` does."""
        try:
            found = read_segments(answer, page, limit, at_most)
        except UpstreamUnreadable as error:
            log.warning(
                "%s, page %d: %s (status %d%s)",
                request.operation,
                page,
                error.message,
                answer.status,
                "" if answer.body is None else f", {len(answer.body)} bytes",
            )
            raise
        unusable = sum(row is None for row in found.rows)
        if unusable:
            log.log(
                logging.DEBUG if self._has_warned else logging.WARNING,
                "%s, page %d: %d of %d segments have no id of their own, and are left out",
                request.operation,
                page,
                unusable,
                len(found.rows),
            )
            self._has_warned = True
        return found
