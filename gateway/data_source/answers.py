"""Reads the upstream's answers, and tells the log of those that make no sense."""

import logging

from gateway.bigcommerce.models import Page, Segment
from gateway.bigcommerce.protocol import Answer, read_segments
from gateway.errors import UpstreamUnavailable

log = logging.getLogger(__name__)


def page_of_segments(
    operation: str, answer: Answer, page: int, limit: int, at_most: int | None = None
) -> Page[Segment]:
    """Returns the page, or raises, as `read_segments` does; `operation` is its name in the log."""
    try:
        return read_segments(answer, page, limit, at_most)
    except UpstreamUnavailable as error:
        if answer.status == 200:  # the client tells of every other status
            log.warning("%s, page %d: %s", operation, page, error.message)
        raise
