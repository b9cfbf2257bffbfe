"""What the emulated store answers where it does not list: error objects, and HTML."""

import msgspec
from starlette.responses import Response

STATUS_CODES = (
    "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"  # as on the wire
)


def error_answer(status: int, title: str) -> Response:
    """Returns BigCommerce's error object."""
    body = {"status": status, "title": title, "type": STATUS_CODES, "errors": {}}
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def too_many_requests() -> Response:
    """Returns the 429 of the quota and of platform load, without the quota's headers."""
    return error_answer(429, "Too many requests")


def html_answer() -> Response:
    """Returns a page for people, with status 200."""
    return Response("<!doctype html><title>Maintenance</title>", media_type="text/html")
