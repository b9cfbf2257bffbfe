"""Customers on the wire: `/customers`, read by id or by e-mail."""

import re
from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from gateway.emulator.paging import ListRefused, list_answer, read_list_request
from gateway.emulator.resources import READ, Operation, StoreRequest
from gateway.emulator.rows import CustomerRow
from gateway.emulator.store import Store

FILTERS = ("page", "limit", "id:in", "email:in", "include")
_ID = re.compile(r"[0-9]{1,18}")
INCLUDES = ("shopper_profile_id", "segment_ids")


def _list_customers(request: StoreRequest) -> Response:
    asked = read_list_request(request.query, request.rules, FILTERS)
    includes = _parts(request.query.get("include", ""))
    unknown = [name for name in includes if name not in INCLUDES]
    if unknown:
        raise ListRefused(f"The include(s): {', '.join(unknown)} are not valid.")
    emails = request.query.get("email:in")
    rows = _select(request.store, asked.ids, None if emails is None else {*_parts(emails.lower())})

    def show(row: CustomerRow) -> dict[str, object]:
        shown: dict[str, object] = msgspec.to_builtins(row)
        profile = request.store.profiles.find(row.id) if includes else None
        if "shopper_profile_id" in includes:
            shown["shopper_profile_id"] = None if profile is None else profile.id
        if "segment_ids" in includes:
            members = request.store.members
            shown["segment_ids"] = [] if profile is None else members.of_profile(profile)
        return shown

    return list_answer(rows, asked, request.rules, request.fault, show)


def _select(
    store: Store, ids: frozenset[str] | None, emails: set[str] | None
) -> Sequence[CustomerRow]:
    """Returns all customers, or those with these ids and e-mail addresses, by id."""
    if ids is None and emails is None:
        return store.customers
    keys = emails if ids is None else {int(text) for text in ids if _ID.fullmatch(text)}
    found = {row.id: row for key in keys or () if (row := store.customers.find(key)) is not None}
    return [
        row for _, row in sorted(found.items()) if emails is None or row.email.lower() in emails
    ]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


CUSTOMER_OPERATIONS = (Operation("list_customers", "GET", "/customers", READ, _list_customers),)
