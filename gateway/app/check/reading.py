"""Sends the reads of a check, one after another, and records what each answer shows."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from gateway.app.check import operations as names
from gateway.app.check.findings import (
    AcceptedNumber,
    CustomerIncludes,
    Finding,
    Findings,
    Verdict,
    after,
    allowed,
    token_refused,
)
from gateway.app.check.remedies import remedy_of
from gateway.bigcommerce.listings import (
    CUSTOMERS_BY_EMAIL,
    CUSTOMERS_BY_ID,
    SEGMENTS,
    SHOPPER_PROFILES,
    listing_of_members,
    listing_of_memberships,
)
from gateway.bigcommerce.models import Customer, Page, Segment, ShopperProfile
from gateway.bigcommerce.operations import Upstream
from gateway.bigcommerce.protocol import Listing
from gateway.data_source import LOOKUP_IDS
from gateway.data_source.list_source import SMALLER_PAGE_SIZES
from gateway.errors import UpstreamError, UpstreamForbidden, UpstreamRefused, UpstreamUnavailable
from gateway.row import Row

# The statuses of a page or of a URL that is too large.
TOO_LARGE: Final = (413, 414, 422)
NO_SEGMENT: Final = "The store has no segment."
NO_PROFILE: Final = "The store has no shopper profile."
NO_CUSTOMER: Final = "The first shopper profile has no customer."
NO_EMAIL: Final = "No customer with an e-mail address was found."

Answered = TypeVar("Answered")


class StoreReader:
    """Reads one store for a check; `last_status` returns the status of the newest answer."""

    def __init__(
        self, upstream: Upstream, page_size: int, last_status: Callable[[], int | None]
    ) -> None:
        self.findings = Findings()
        self._upstream = upstream
        self._page_size = page_size
        self._last_status = last_status

    async def read(self) -> Findings:
        """Sends the reads; if the first one fails, no other."""
        page = await self._attempt(names.SEGMENTS, self._read_segments())
        if page is not None:
            await self._read_by_segments([row.id for row in page.rows if row is not None])
            await self._read_by_profile(await self._first_profile())
        self.findings.complete()
        return self.findings

    async def _read_by_segments(self, ids: Sequence[str]) -> None:
        if not ids:
            self._not_known(NO_SEGMENT, names.SEGMENTS_BY_ID, names.SEGMENT_PROFILES)
            return
        await self._attempt(names.SEGMENTS_BY_ID, self._read_ids(ids[:LOOKUP_IDS]))
        await self._attempt(names.SEGMENT_PROFILES, self._read_first(listing_of_members(ids[0])))

    async def _first_profile(self) -> ShopperProfile | None:
        page = await self._attempt(names.PROFILES, self._read_first(SHOPPER_PROFILES))
        return None if page is None else _first(page)

    async def _read_by_profile(self, profile: ShopperProfile | None) -> None:
        unread = (names.CUSTOMERS_BY_ID, names.CUSTOMERS_BY_EMAIL)
        if profile is None:
            profiles = self.findings.by_operation[names.PROFILES]
            is_empty = profiles.verdict is Verdict.MAY
            reason = NO_PROFILE if is_empty else after(names.PROFILES, profiles)
            self._not_known(reason, names.PROFILE_SEGMENTS, *unread)
            return
        memberships = self._read_first(listing_of_memberships(profile.id))
        await self._attempt(names.PROFILE_SEGMENTS, memberships)
        if profile.customer_id is None:
            self._not_known(NO_CUSTOMER, *unread)
            return
        by_id = self._read_first(CUSTOMERS_BY_ID, str(profile.customer_id))
        page = await self._attempt(names.CUSTOMERS_BY_ID, by_id)
        customer = None if page is None else _first(page)
        if customer is not None:
            self._record_includes(customer)
        if customer is None or customer.email is None:
            self._not_known(NO_EMAIL, names.CUSTOMERS_BY_EMAIL)
            return
        by_email = self._read_first(CUSTOMERS_BY_EMAIL, customer.email)
        await self._attempt(names.CUSTOMERS_BY_EMAIL, by_email)

    async def _attempt(self, operation: str, read: Awaitable[Answered]) -> Answered | None:
        """Returns the result of a read, None if it fails; records the finding."""
        try:
            value = await read
        except UpstreamForbidden:
            self.findings.by_operation[operation] = token_refused(operation)
        except UpstreamError as error:
            # After one answer with segments, the URL is right.
            status = self._last_status() if operation == names.SEGMENTS else None
            finding = Finding(Verdict.FAILED, error.message, remedy_of(error, status))
            self.findings.by_operation[operation] = finding
        else:
            self.findings.by_operation.setdefault(operation, allowed())
            return value
        return None

    def _not_known(self, reason: str, *operations: str) -> None:
        for operation in operations:
            self.findings.by_operation[operation] = Finding(Verdict.NOT_KNOWN, reason)

    async def _read_first(self, listing: Listing[Row], *keys: str) -> Page[Row]:
        """Reads the first row of a list, or of its rows with these keys."""
        return await self._upstream.fetch_page(listing, 1, 1, keys)

    async def _read_segments(self) -> Page[Segment]:
        page = await self._read_page_of(self._page_size)
        too_many = self._page_size if page.per_page < self._page_size else None
        self.findings.record_segments(page.total, AcceptedNumber(page.per_page, too_many))
        return page

    async def _read_page_of(self, size: int) -> Page[Segment]:
        """Reads the first page of segments, with fewer rows if the store refuses the size."""
        try:
            return await self._upstream.fetch_page(SEGMENTS, 1, size)
        except UpstreamRefused as error:
            smaller = next((fewer for fewer in SMALLER_PAGE_SIZES if fewer < size), None)
            if smaller is None or error.status not in TOO_LARGE:
                raise
        return await self._read_page_of(smaller)

    async def _read_ids(self, ids: Sequence[str]) -> None:
        """Looks for the ids at once, then for half of them, until an answer has them all."""
        number, too_many = len(ids), None
        while not await self._are_found(ids[:number]):
            if number == 1:
                raise UpstreamUnavailable("The store's API does not find a segment of its list.")
            number, too_many = number // 2, number
        self.findings.record_ids_at_once(AcceptedNumber(number, too_many))

    async def _are_found(self, ids: Sequence[str]) -> bool:
        """Whether one answer has all of these ids; raises the error of the last one alone."""
        try:
            page = await self._upstream.fetch_page(SEGMENTS, 1, len(ids), ids)
        except UpstreamRefused as error:
            if error.status not in TOO_LARGE or len(ids) == 1:
                raise
            return False
        return len(page.rows) == len(ids)

    def _record_includes(self, customer: Customer) -> None:
        self.findings.record_includes(
            CustomerIncludes(
                shopper_profile_id=customer.shopper_profile_id is not None,
                segment_ids=customer.segment_ids is not None,
            )
        )


def _first(page: Page[Row]) -> Row | None:
    return next(iter(page.rows), None)
