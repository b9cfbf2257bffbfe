"""The customers that the store has, read for a mutation that has to know them as they are now."""

from collections.abc import Iterable

from gateway.bigcommerce.models import Customer
from gateway.data_source.by_id import RowsById
from gateway.data_source.collection import CUSTOMERS
from gateway.data_source.lists import Lists
from gateway.errors import UpstreamError


class StoreCustomers:
    """Reads customers by id, past the cache: a write must not follow from what was so before."""

    def __init__(self, lists: Lists) -> None:
        self._rows = RowsById(CUSTOMERS.listing, lists.upstream, lists.cache, lists.limits)

    async def read(self, customer_ids: Iterable[int]) -> dict[int, Customer | None]:
        """Returns these customers, None for one that does not exist; raises `UpstreamError`."""
        ids = [str(customer_id) for customer_id in customer_ids]
        outcomes = await self._rows.ask(ids)
        customers: dict[int, Customer | None] = {}
        for row_id, outcome in outcomes.items():
            if isinstance(outcome, UpstreamError):
                raise outcome
            customers[int(row_id)] = outcome.value
        return customers
