"""The list operations of the upstream: where each is, and how a row of it is read.

Rows are read leniently: a field that is missing, or of another type, is None.
"""

from collections.abc import Mapping

from gateway.bigcommerce.models import Customer, Segment, ShopperProfile, uuid_in_lower_case
from gateway.bigcommerce.protocol import LARGEST, Listing
from gateway.bigcommerce.values import text_of, time_of, whole_number_of

# Without them, BigCommerce sends neither the profile of a customer nor its segments.
INCLUDED = (("include", "shopper_profile_id,segment_ids"),)


def customer_number(value: object) -> int | None:
    """Returns the id of a customer: a positive whole number of 32 bits; None for another value."""
    number = whole_number_of(value)
    return number if number is not None and 0 < number <= LARGEST else None


def folded_email(email: str) -> str:
    """Returns an e-mail address as addresses are compared: without regard to case."""
    return email.lower()


def _uuid_of(value: object) -> str | None:
    return uuid_in_lower_case(text_of(value) or "")


def _read_segment(raw: Mapping[str, object]) -> Segment | None:
    row_id = _uuid_of(raw.get("id"))
    if row_id is None:
        return None
    return Segment(
        id=row_id,
        name=text_of(raw.get("name")),
        description=text_of(raw.get("description")),
        created_at=time_of(raw.get("created_at")),
        updated_at=time_of(raw.get("updated_at")),
    )


def _read_segment_of_profile(raw: Mapping[str, object]) -> Segment | None:
    """Returns a segment, which has its id alone where the upstream sends no more of it."""
    row_id = _uuid_of(raw.get("segment_id"))
    return _read_segment(raw) if row_id is None else Segment(row_id)


def _read_shopper_profile(raw: Mapping[str, object]) -> ShopperProfile | None:
    row_id = _uuid_of(raw.get("id"))
    if row_id is None:
        return None
    return ShopperProfile(
        id=row_id,
        customer_id=customer_number(raw.get("customer_id")),
        created_at=time_of(raw.get("created_at")),
        updated_at=time_of(raw.get("updated_at")),
    )


def _read_customer(raw: Mapping[str, object]) -> Customer | None:
    """Returns these fields of a customer: no other one is kept anywhere."""
    number = customer_number(raw.get("id"))
    if number is None:
        return None
    segment_ids = raw.get("segment_ids")
    uuids = [_uuid_of(one) for one in segment_ids] if isinstance(segment_ids, list) else None
    return Customer(
        id=str(number),
        email=text_of(raw.get("email")),
        first_name=text_of(raw.get("first_name")),
        last_name=text_of(raw.get("last_name")),
        shopper_profile_id=_uuid_of(raw.get("shopper_profile_id")),
        segment_ids=None if uuids is None else tuple(sorted({one for one in uuids if one})),
    )


SEGMENTS = Listing("list_segments", "/segments", "segments", _read_segment)
SHOPPER_PROFILES = Listing(
    "list_shopper_profiles", "/shopper-profiles", "shopper profiles", _read_shopper_profile
)
CUSTOMERS_BY_ID = Listing(
    "list_customers", "/customers", "customers", _read_customer, query=INCLUDED
)
# Storefronts of one store may have customers of one e-mail address.
CUSTOMERS_BY_EMAIL = Listing(
    "list_customers",
    "/customers",
    "customers",
    _read_customer,
    query=INCLUDED,
    filter="email",
    key_of=lambda row: None if row.email is None else folded_email(row.email),
    is_unique=False,
)


def listing_of_members(segment_id: str) -> Listing[ShopperProfile]:
    """Returns the shopper profiles of a segment; the operation needs the modify scope."""
    return Listing(
        "list_segment_shopper_profiles",
        f"/segments/{segment_id}/shopper-profiles",
        "shopper profiles",
        _read_shopper_profile,
    )


def listing_of_memberships(profile_id: str) -> Listing[Segment]:
    """Returns the segments of a shopper profile."""
    return Listing(
        "list_shopper_profile_segments",
        f"/shopper-profiles/{profile_id}/segments",
        "segments",
        _read_segment_of_profile,
    )
