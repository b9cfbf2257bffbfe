"""Shopper profiles on the wire: `/shopper-profiles`."""

from collections.abc import Callable

from starlette.responses import Response

from gateway.emulator.batches import ItemRefused, answer_batch, answer_deletion, read_batch
from gateway.emulator.paging import list_answer, read_list_request
from gateway.emulator.resources import MODIFY, READ, Operation, StoreRequest


def _list_shopper_profiles(request: StoreRequest) -> Response:
    asked = read_list_request(request.query, request.rules, ("page", "limit"))
    return list_answer(request.store.profiles, asked, request.rules, request.fault)


def _create_shopper_profiles(request: StoreRequest) -> Response:
    batch = read_batch(request, _reader_of_new_profiles(request))
    rows = [request.store.create_profile(customer_id) for customer_id in batch.items.values()]
    return answer_batch(request, batch, rows)


def _delete_shopper_profiles(request: StoreRequest) -> Response:
    store = request.store
    return answer_deletion(request, store.profiles, store.profiles.find, store.delete_profiles)


def _reader_of_new_profiles(request: StoreRequest) -> Callable[[object], int]:
    """Returns the reader of a customer without a profile whom no earlier item names."""
    store, read_before = request.store, set[int]()

    def read(item: object) -> int:
        customer_id = item.get("customer_id") if isinstance(item, dict) else None
        if type(customer_id) is not int or store.customers.find(customer_id) is None:
            raise ItemRefused("The customer is not found.", "customer_id")
        if customer_id in read_before or store.profiles.find(customer_id) is not None:
            raise ItemRefused("The customer has a shopper profile.", "customer_id")
        read_before.add(customer_id)
        return customer_id

    return read


PATH = "/shopper-profiles"
SHOPPER_PROFILE_OPERATIONS = (
    Operation("list_shopper_profiles", "GET", PATH, READ, _list_shopper_profiles),
    Operation("create_shopper_profiles", "POST", PATH, MODIFY, _create_shopper_profiles),
    Operation("delete_shopper_profiles", "DELETE", PATH, MODIFY, _delete_shopper_profiles),
)
