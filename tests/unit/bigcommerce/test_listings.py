"""The requests of each list, and what is read of its rows."""

import json
from typing import Any

import msgspec
import pytest

from gateway.bigcommerce.listings import (
    CUSTOMERS_BY_EMAIL,
    CUSTOMERS_BY_ID,
    SHOPPER_PROFILES,
    listing_of_members,
    listing_of_memberships,
)
from gateway.bigcommerce.models import Customer, Segment, ShopperProfile
from gateway.bigcommerce.protocol import Answer, Listing, Request, read_page
from gateway.errors import UpstreamUnreadable
from gateway.row import Row

ID = "1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"
OTHER = "0a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"
INCLUDE = ("include", "shopper_profile_id,segment_ids")
PAGING = (("page", "1"), ("limit", "250"))


def rows_of(listing: Listing[Row], *raw: object, asked: int | None = None) -> list[Row | None]:
    body = {"data": raw, "meta": {"pagination": {"total": len(raw), "per_page": 250}}}
    answer = Answer(200, {}, json.dumps(body).encode())
    return [*read_page(listing, answer, 1, 250, listing.most_rows(["key"] * (asked or 0))).rows]


@pytest.mark.parametrize(
    ("listing", "operation", "path"),
    [
        (SHOPPER_PROFILES, "list_shopper_profiles", "/shopper-profiles"),
        (
            listing_of_members(ID),
            "list_segment_shopper_profiles",
            f"/segments/{ID}/shopper-profiles",
        ),
        (
            listing_of_memberships(ID),
            "list_shopper_profile_segments",
            f"/shopper-profiles/{ID}/segments",
        ),
    ],
)
def test_lists_are_read_in_pages(listing: Listing[Any], operation: str, path: str) -> None:
    assert listing.page(1, 250) == Request(operation, "GET", path, PAGING)


@pytest.mark.parametrize(
    ("listing", "operation", "name"),
    [
        (CUSTOMERS_BY_ID, "list_customers_by_id", "id:in"),
        (CUSTOMERS_BY_EMAIL, "list_customers_by_email", "email:in"),
    ],
)
def test_customers_are_read_by_id_and_by_email_with_what_they_are_in(
    listing: Listing[Customer], operation: str, name: str
) -> None:
    query = ((name, "a,b"), INCLUDE, *PAGING)
    assert listing.page(1, 250, ["a", "b"]) == Request(
        operation, "GET", "/customers", query, names_ids=True
    )


def test_profile_is_read_leniently() -> None:
    raw: dict[str, object] = {"id": ID.upper(), "customer_id": "7", "created_at": 5, "notes": "x"}
    assert rows_of(SHOPPER_PROFILES, raw, {**raw, "id": "7"}) == [ShopperProfile(ID, 7), None]
    for odd in (0, -1, 2**31, 1.5, True, None, "seven"):
        raw["customer_id"] = odd
        assert rows_of(SHOPPER_PROFILES, raw) == [ShopperProfile(ID)]


def test_segment_of_a_profile_is_a_segment_or_its_id_alone() -> None:
    listing = listing_of_memberships(ID)
    whole = {"id": OTHER, "name": "VIP", "created_at": "2024-05-01T10:00:00Z"}
    found = rows_of(listing, whole, {"segment_id": ID.upper(), "id": 3, "name": "a row"}, {"id": 4})
    assert isinstance(found[0], Segment)
    assert (found[0].id, found[0].name) == (OTHER, "VIP")
    assert found[1:] == [Segment(ID), None]


def test_customer_has_the_fields_of_the_graph_and_no_others() -> None:
    raw = {
        "id": 17,
        "email": "Ana@example.com",
        "first_name": "Ana",
        "last_name": "O'Brien",
        "company": "SECRET",
        "notes": "SECRET",
        "phone": "SECRET",
        "addresses": [{"address1": "SECRET"}],
        "authentication": {"password": "SECRET"},
        "shopper_profile_id": ID.upper(),
        "segment_ids": [ID, OTHER.upper(), ID, "SECRET", None],
    }
    (row,) = rows_of(CUSTOMERS_BY_ID, raw, asked=1)
    assert row == Customer("17", "Ana@example.com", "Ana", "O'Brien", ID, (OTHER, ID))
    assert b"SECRET" not in msgspec.json.encode(row)


@pytest.mark.parametrize("row_id", [None, 0, -1, 1.5, True, "x", 2**31, [], ID])
def test_customer_without_a_usable_id_is_no_row(row_id: object) -> None:
    assert rows_of(CUSTOMERS_BY_ID, {"id": row_id, "email": "a@example.com"}) == [None]


@pytest.mark.parametrize("odd", [None, "", 5, {}, "not a uuid"])
def test_odd_fields_of_a_customer_are_none(odd: object) -> None:
    raw = {"id": "17", "shopper_profile_id": odd, "segment_ids": odd, "first_name": [odd]}
    assert rows_of(CUSTOMERS_BY_ID, raw) == [Customer("17")]


def test_customer_without_segments_is_not_one_of_which_none_are_sent() -> None:
    assert rows_of(CUSTOMERS_BY_ID, {"id": 1, "segment_ids": []}) == [Customer("1", segment_ids=())]
    assert rows_of(CUSTOMERS_BY_ID, {"id": 1}) == [Customer("1", segment_ids=None)]


def test_more_customers_than_addresses_are_an_answer_and_more_than_ids_are_none() -> None:
    twins = [{"id": 1, "email": "a@example.com"}, {"id": 2, "email": "A@example.com"}]
    found = rows_of(CUSTOMERS_BY_EMAIL, *twins, asked=1)
    assert [row and CUSTOMERS_BY_EMAIL.key_of(row) for row in found] == ["a@example.com"] * 2
    with pytest.raises(UpstreamUnreadable, match="more customers than it was asked for"):
        rows_of(CUSTOMERS_BY_ID, *twins, asked=1)
