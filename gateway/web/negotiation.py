"""Content negotiation: chooses the media type of a response.

Sources: RFC 9110, 12.5.1 (Accept); GraphQL over HTTP, "Media Types".
"""

from functools import lru_cache

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
HTML = "text/html"

# Browsers send some 150 characters. A much longer header is disregarded, as RFC 9110, 12.5.1,
# permits: to parse and cache it would cost more than the response.
LONGEST_ACCEPT = 1000


def choose_media_type(accept: str, offered: tuple[str, ...]) -> str | None:
    """Returns the offered media type that `accept` prefers, None if it accepts none.

    An empty header accepts anything. Of types with equal quality, one that the header names comes
    before a wildcard, then the order of the header decides, then the order of the offer.
    """
    return _choose_media_type("" if len(accept) > LONGEST_ACCEPT else accept, offered)


@lru_cache(maxsize=128)  # clients send a handful of different headers
def _choose_media_type(accept: str, offered: tuple[str, ...]) -> str | None:
    if not accept.strip(" ,"):
        return offered[0]
    ranges = [_media_range(part) for part in accept.split(",") if part.strip()]
    best: tuple[float, bool, int, int] | None = None
    chosen = None
    for place, media_type in enumerate(offered):
        matches = [
            (specificity, quality, -position)
            for position, (name, quality) in enumerate(ranges)
            if (specificity := _specificity(name, media_type))
        ]
        if not matches:
            continue
        # RFC 9110, 12.5.1: the most specific range that matches decides the quality.
        specificity, quality, position = max(matches)
        rank = (quality, specificity == 3, position, -place)
        if quality > 0 and (best is None or rank > best):
            best, chosen = rank, media_type
    return chosen


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, min(1.0, max(0.0, float(value)))
            except ValueError:
                return name, 0.0
    return name, 1.0


def _specificity(name: str, media_type: str) -> int:
    """Returns 3 for the type itself, 2 for `type/*`, 1 for `*/*`, 0 for no match."""
    if name == media_type:
        return 3
    if name == media_type.partition("/")[0] + "/*":
        return 2
    return 1 if name == "*/*" else 0
