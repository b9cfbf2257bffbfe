"""Creates the shopper profiles of customers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.bigcommerce import writes
from gateway.bigcommerce.models import ShopperProfile
from gateway.bigcommerce.write_errors import WriteRefusal
from gateway.bigcommerce.writes import Write
from gateway.data_source.writes.batches import BatchedWrite
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import (
    has_profile,
    not_found,
    profile_error,
    refused,
)
from gateway.data_source.writes.store_customers import StoreCustomers
from gateway.errors import UpstreamError

NO_CUSTOMER = not_found("The customer")


class ProfileCreation(BatchedWrite[ShopperProfile]):
    """New profiles by the index of their item; `created` are those that were made.

    `customer_ids` are those of the items; no customer is there twice. `finished` records a profile.
    """

    def __init__(
        self,
        customer_ids: Mapping[int, int],
        at_once: int,
        progress: Progress[Any],
        store: StoreCustomers,
        finished: Callable[[int, ShopperProfile], None] = lambda _index, _profile: None,
    ) -> None:
        super().__init__("create_shopper_profiles", customer_ids, at_once, progress, profile_error)
        self.created: dict[int, ShopperProfile] = {}
        self._customer_ids = customer_ids
        self._store = store
        self._finished = finished

    def is_pending(self, index: int) -> bool:
        """Whether the profile of an item is still to be made."""
        return super().is_pending(index) and index not in self.created

    def build(self, indexes: Sequence[int]) -> Write[ShopperProfile]:
        """Returns the write that creates these profiles."""
        return writes.create_shopper_profiles([self._customer_ids[index] for index in indexes])

    def finish(self, index: int, row: ShopperProfile | None) -> None:
        """Records a profile that was created."""
        if row is not None:
            self.created[index] = row
            self._finished(index, row)

    async def find_reasons(
        self, indexes: Sequence[int], refusal: WriteRefusal, *, of_each: bool = False
    ) -> None:
        """Finds the customers who do not exist, and those who have a profile."""
        try:
            customers = await self._store.read(self._customer_ids[index] for index in indexes)
        except UpstreamError:
            return
        for index in indexes:
            customer = customers[self._customer_ids[index]]
            if customer is None:
                self.progress.set(index, NO_CUSTOMER)
            elif customer.shopper_profile_id is not None:
                self.progress.set(index, has_profile())

    async def find_outcomes(self, indexes: Sequence[int]) -> None:
        """Looks up which of these customers have a profile by now."""
        try:
            customers = await self._store.read(self._customer_ids[index] for index in indexes)
        except UpstreamError:
            await super().find_outcomes(indexes)
            return
        for index in indexes:
            customer_id = self._customer_ids[index]
            customer = customers[customer_id]
            if customer is None or customer.shopper_profile_id is None:
                self.progress.set(index, refused())
            else:
                self.finish(index, ShopperProfile(customer.shopper_profile_id, customer_id))
