"""The names of all operations, by which requests are counted, forbidden and made to fail."""

from typing import Literal, get_args

OperationName = Literal[
    "list_segments",
    "create_segments",
    "update_segments",
    "delete_segments",
    "list_segment_shopper_profiles",
    "add_segment_shopper_profiles",
    "remove_segment_shopper_profiles",
    "list_shopper_profiles",
    "create_shopper_profiles",
    "delete_shopper_profiles",
    "list_shopper_profile_segments",
    "list_customers",
]
OPERATION_NAMES: tuple[OperationName, ...] = get_args(OperationName)
