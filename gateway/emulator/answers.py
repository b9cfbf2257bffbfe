"""The answers that are not lists: error objects, and faults in place of a list."""

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from gateway.emulator.faults import Fault, Rule

STATUS_CODES = (
    "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"  # as on the wire
)


def error_answer(status: int, title: str) -> Response:
    """Returns an answer with BigCommerce's error object."""
    body = {"status": status, "title": title, "type": STATUS_CODES, "errors": {}}
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def too_many_requests() -> Response:
    """Returns the 429 of the quota and of platform load, without the quota's headers."""
    return error_answer(429, "Too many requests")


def faulty_answer(rule: Rule) -> Response | None:
    """Returns the answer that replaces the store's by a rule, or None."""
    match rule.fault:
        case Fault.RATE_LIMITED | Fault.OVERLOADED:
            return too_many_requests()
        case Fault.SERVER_ERROR:
            return error_answer(500, "Internal Server Error")
        case Fault.STATUS:
            status = rule.status or 500
            known = status in HTTPStatus.__members__.values()
            return error_answer(status, HTTPStatus(status).phrase if known else f"Status {status}")
        case Fault.HTML:
            return Response("<!doctype html><title>Maintenance</title>", media_type="text/html")
        case _:
            return None
