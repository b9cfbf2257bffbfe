"""The bodies of answers: rows with a fault, error objects, and faults in place of rows."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.responses import Response

from gateway.emulator.faults import Fault, Rule

STATUS_CODES = (
    "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"  # as on the wire
)


def error_object(status: int, title: str, errors: Mapping[str, str]) -> dict[str, object]:
    """Returns BigCommerce's error object; `errors` has a text by field, or by item of a batch."""
    return {"status": status, "title": title, "type": STATUS_CODES, "errors": errors}


def error_answer(status: int, title: str, errors: Mapping[str, str] | None = None) -> Response:
    """Returns an answer with BigCommerce's error object."""
    body = msgspec.json.encode(error_object(status, title, errors or {}))
    return Response(body, status, media_type="application/json")


def answer_with_data(body: dict[str, object], fault: Fault | None, status: int = 200) -> Response:
    """Returns an answer whose rows are in `data`, with the fault."""
    data = body["data"]
    if fault is Fault.MISSING_ROW and isinstance(data, Sequence):
        body = {**body, "data": data[:-1]}
    elif fault is Fault.NULL_DATA:
        body = {**body, "data": None}
    text = msgspec.json.encode(body)
    if fault is Fault.TRUNCATED:
        text = text[: len(text) // 2]
    return Response(text, status, media_type="application/json")


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
        case Fault.RESET:
            return Response()  # is not sent
        case _:
            return None
