"""The operations that a check reports: those of the store's API, by their names in the log."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CheckedOperation:
    """One operation: its name, its method, and its path with the filter that it sends."""

    name: str
    method: str
    path: str


SEGMENTS: Final = "list_segments"
SEGMENTS_BY_ID: Final = "list_segments_by_id"
PROFILES: Final = "list_shopper_profiles"
# The one read that needs the scope of writes.
SEGMENT_PROFILES: Final = "list_segment_shopper_profiles"
PROFILE_SEGMENTS: Final = "list_shopper_profile_segments"
CUSTOMERS_BY_ID: Final = "list_customers_by_id"
CUSTOMERS_BY_EMAIL: Final = "list_customers_by_email"

MEMBERS: Final = "/segments/{segmentId}/shopper-profiles"

CHECKED_OPERATIONS: Final = (
    CheckedOperation(SEGMENTS, "GET", "/segments"),
    CheckedOperation(SEGMENTS_BY_ID, "GET", "/segments?id:in"),
    CheckedOperation(PROFILES, "GET", "/shopper-profiles"),
    CheckedOperation(SEGMENT_PROFILES, "GET", MEMBERS),
    CheckedOperation(PROFILE_SEGMENTS, "GET", "/shopper-profiles/{shopperProfileId}/segments"),
    CheckedOperation(CUSTOMERS_BY_ID, "GET", "/customers?id:in"),
    CheckedOperation(CUSTOMERS_BY_EMAIL, "GET", "/customers?email:in"),
    CheckedOperation("create_segments", "POST", "/segments"),
    CheckedOperation("update_segments", "PUT", "/segments"),
    CheckedOperation("delete_segments", "DELETE", "/segments"),
    CheckedOperation("add_segment_shopper_profiles", "POST", MEMBERS),
    CheckedOperation("remove_segment_shopper_profiles", "DELETE", MEMBERS),
    CheckedOperation("create_shopper_profiles", "POST", "/shopper-profiles"),
    CheckedOperation("delete_shopper_profiles", "DELETE", "/shopper-profiles"),
)
