"""Customers by id and by e-mail address, for all requests of the process.

Both ways fill the same rows by id. An e-mail address is remembered with the id of its customer.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from gateway.bigcommerce.listings import CUSTOMERS_BY_EMAIL, folded_email
from gateway.bigcommerce.models import Customer
from gateway.cache.entries import EntryKind
from gateway.cache.fills import Outcome
from gateway.cache.policy import Entry
from gateway.data_source.batcher import Batcher
from gateway.data_source.by_id import RowsById
from gateway.data_source.codec import EmailCodec
from gateway.data_source.collection import CUSTOMERS, last_part
from gateway.data_source.lists import Lists
from gateway.data_source.lookups import Lookups
from gateway.errors import UpstreamError
from gateway.instrumentation import OFF, Instrumentation


class Customers:
    """Looks up customers, in the store of `lists`."""

    def __init__(
        self, lists: Lists, *, window_seconds: float, instrumentation: Instrumentation = OFF
    ) -> None:
        self.by_id = Lookups(
            CUSTOMERS, lists, window_seconds=window_seconds, instrumentation=instrumentation
        )
        self._kind = EntryKind(
            CUSTOMERS.name, CUSTOMERS_BY_EMAIL.lookup_operation, EmailCodec(), CUSTOMERS.name
        )
        self._keys = lists.keys_of(CUSTOMERS)
        self._cache = lists.cache
        self._rows = RowsById(CUSTOMERS_BY_EMAIL, lists.upstream, lists.cache, lists.limits)
        self._batcher: Batcher[Entry[str | None]] = Batcher(
            self._ask,
            lists.upstream.least_used,
            name=CUSTOMERS.name,
            window_seconds=window_seconds,
            instrumentation=instrumentation,
        )

    async def load(
        self, ids: Sequence[str], beside: Callable[[], Sequence[str]] | None = None
    ) -> list[Customer | UpstreamError | None]:
        """Returns the customers with these ids, in their order; None for one that does not exist.

        An upstream error takes the place of a customer that could not be read. `beside` is that of
        `Lookups.load`.
        """
        return await self.by_id.load(ids, beside)

    async def load_by_email(self, emails: Sequence[str]) -> list[Customer | UpstreamError | None]:
        """Returns the customers with these e-mail addresses, as `load` does.

        Addresses are compared without regard to case. Where several customers have one address, as
        in several storefronts, the first one of the upstream's answer is taken. An address must
        have no comma: `:in` separates values by it.
        """
        keys = [self._keys.email(folded_email(email)) for email in emails]
        found = await self._load_by_key(dict.fromkeys(keys))
        # What a newer row says of itself is right: its address is another one by now.
        changed = [
            key
            for key, row in found.items()
            if isinstance(row, Customer) and self._keys.email(folded_email(row.email or "")) != key
        ]
        if changed:
            found.update(await self._load_by_key(changed, self._cache.now()))
        return [found[key] for key in keys]

    async def _load_by_key(
        self, keys: Collection[str], not_before: float = 0
    ) -> dict[str, Customer | UpstreamError | None]:
        """Returns the customer of each key of an address; what was read before may be wrong."""
        outcomes = await self._cache.read(self._kind, keys, self._fill, not_before)
        for one in outcomes.values():
            if isinstance(one, Entry):
                self._cache.record_read(CUSTOMERS.name, one.read_at, one.stale_because)
        values = [one if isinstance(one, UpstreamError) else one.value for one in outcomes.values()]
        ids = list(dict.fromkeys(value for value in values if isinstance(value, str)))
        rows = dict(zip(ids, await self.load(ids), strict=True))
        return {
            key: rows[value] if isinstance(value, str) else value
            for key, value in zip(outcomes, values, strict=True)
        }

    def _fill(self, keys: Sequence[str]) -> Mapping[str, "asyncio.Future[Entry[str | None]]"]:
        futures = self._batcher.load([last_part(key) for key in keys])
        return {self._keys.email(email): future for email, future in futures.items()}

    async def _ask(self, emails: Sequence[str]) -> dict[str, Outcome[str | None]]:
        answered = await self._rows.ask(emails)
        outcomes: dict[str, Outcome[str | None]] = {}
        rows: dict[str, Entry[Customer | None]] = {}
        for email in emails:
            outcomes[email] = _id_in(answered[email])
            if isinstance(entry := answered[email], Entry) and entry.value is not None:
                rows[self._keys.row(entry.value.id)] = entry
        known = {
            self._keys.email(email): outcome
            for email, outcome in outcomes.items()
            if isinstance(outcome, Entry)
        }
        await self._cache.store(CUSTOMERS.rows, rows)
        await self._cache.store(self._kind, known)
        return outcomes


def _id_in(outcome: Outcome[Customer | None]) -> Outcome[str | None]:
    """Returns the id in place of the customer."""
    if isinstance(outcome, UpstreamError):
        return outcome
    return Entry(outcome.read_at, None if outcome.value is None else outcome.value.id)
