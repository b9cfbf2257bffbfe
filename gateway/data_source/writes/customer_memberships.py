"""Puts customers into a segment and takes them out, by way of their shopper profiles."""

from collections.abc import Collection, Iterable, Sequence
from functools import partial

import msgspec

from gateway.bigcommerce.models import Customer
from gateway.data_source.collection import ALL_SHOPPER_PROFILES, CUSTOMERS, members_of, segments_of
from gateway.data_source.writes.batches import Batches
from gateway.data_source.writes.by_ids import NO_SEGMENT, MembershipWrite
from gateway.data_source.writes.profile_creation import NO_CUSTOMER, ProfileCreation
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import no_profile, refused
from gateway.data_source.writes.running import Effects, WrittenRows
from gateway.data_source.writes.store_customers import StoreCustomers
from gateway.data_source.writes.store_segments import StoreSegments
from gateway.user_errors import UserErrorCode


class CustomerMemberships:
    """The memberships of customers in one segment, by the index of their item.

    No customer is there twice. What is so already counts as done.
    """

    def __init__(
        self,
        segment_id: str,
        customer_ids: Sequence[int],
        batches: Batches,
        at_once: int,
        progress: Progress[Customer],
        segments: StoreSegments,
        customers: StoreCustomers,
    ) -> None:
        self._segment_id = segment_id
        self._customer_ids = customer_ids
        self._batches = batches
        self._at_once = at_once
        self._progress = progress
        self._segments = segments
        self._store = customers
        # The customers that exist, with the profile that each has by now.
        self._customers: dict[int, Customer] = {}
        self._creation: ProfileCreation | None = None

    async def add(self, *, create_missing_profiles: bool) -> None:
        """Puts the customers into the segment, with a new profile where one is missing."""
        await self._read(range(len(self._customer_ids)))
        for index, customer in self._customers.items():
            if self._segment_id in (customer.segment_ids or ()):
                self._progress.set(index, customer)
            elif customer.shopper_profile_id is None and not create_missing_profiles:
                self._progress.set(index, no_profile())
        await self._create_profiles()
        profiles = self._profiles_of_pending()
        addition = self._membership_write(profiles, is_addition=True)
        await self._batches.send(addition)
        await self._accept(profiles, UserErrorCode.ALREADY_MEMBER)

    async def remove(self) -> None:
        """Takes the customers out of the segment; their profiles stay."""
        await self._read(range(len(self._customer_ids)))
        leaving = {
            index
            for index, customer in self._customers.items()
            if customer.shopper_profile_id is not None
            and (customer.segment_ids is None or self._segment_id in customer.segment_ids)
        }
        if self._customers and not leaving and not await self._is_segment_there():
            return
        for index, customer in self._customers.items():
            if index not in leaving:
                self._progress.set(index, customer)
        profiles = self._profiles_of_pending()
        removal = self._membership_write(profiles, is_addition=False)
        await self._batches.send(removal)
        await self._accept(profiles, UserErrorCode.NOT_A_MEMBER)

    @property
    def created_profiles(self) -> int:
        """The number of profiles that were made."""
        return 0 if self._creation is None else len(self._creation.created)

    @property
    def effects(self) -> Effects:
        """What is changed: members of the segment, customers, and the profiles that are made."""
        return Effects(self._names, self._rows)

    async def _read(self, indexes: Iterable[int]) -> None:
        """Reads the customers of these items, and records those that do not exist."""
        asked = {index: self._customer_ids[index] for index in indexes}
        found = await self._store.read(asked.values())
        for index, customer_id in asked.items():
            customer = found[customer_id]
            if customer is None:
                self._progress.set(index, NO_CUSTOMER)
            else:
                self._customers[index] = customer

    async def _create_profiles(self) -> None:
        """Creates the missing profiles, unless there is no such segment."""
        lacking = {
            index: self._customer_ids[index]
            for index, customer in self._customers.items()
            if self._progress.is_pending(index) and customer.shopper_profile_id is None
        }
        if not lacking or not await self._is_segment_there():
            return
        creation = ProfileCreation(lacking, self._at_once, self._progress, self._store)
        self._creation = creation
        await self._batches.send(creation)
        for index, profile in creation.created.items():
            known = self._customers[index]
            self._customers[index] = msgspec.structs.replace(
                known, shopper_profile_id=profile.id, segment_ids=()
            )
        # Another application has made a profile in the meantime.
        conflicting = [
            index
            for index in lacking
            if self._progress.has_error(index, UserErrorCode.HAS_SHOPPER_PROFILE)
        ]
        if conflicting and not self._progress.is_stopped:
            await self._read(conflicting)
            for index in conflicting:
                if self._customers[index].shopper_profile_id is not None:
                    self._progress.reset(index)

    async def _is_segment_there(self) -> bool:
        """Returns whether the segment exists; if it does not, records that for all items."""
        if not await self._segments.find_absent([self._segment_id], self._progress.began_at):
            return True
        for index in self._customers:
            self._progress.set(index, NO_SEGMENT)
        return False

    def _profiles_of_pending(self) -> dict[int, str]:
        return {
            index: customer.shopper_profile_id
            for index, customer in self._customers.items()
            if self._progress.is_pending(index) and customer.shopper_profile_id is not None
        }

    def _membership_write(self, profiles: dict[int, str], *, is_addition: bool) -> MembershipWrite:
        return MembershipWrite(
            self._segment_id,
            profiles,
            self._at_once,
            self._progress,
            partial(self._record, is_member=is_addition),
            self._segments,
            is_addition=is_addition,
        )

    def _record(self, index: int, *, is_member: bool) -> None:
        """Records a customer whose membership is now as it was asked for."""
        customer = self._customers[index]
        ids = customer.segment_ids
        if ids is not None:
            others = {one for one in ids if one != self._segment_id}
            ids = tuple(sorted(others | {self._segment_id} if is_member else others))
        self._progress.set(index, msgspec.structs.replace(customer, segment_ids=ids))

    async def _accept(self, indexes: Iterable[int], code: UserErrorCode) -> None:
        """Counts items as done whose error says that it was so already, and whose customer is so.

        The error alone is a guess from the text of a refusal.
        """
        refusals = [index for index in indexes if self._progress.has_error(index, code)]
        self._progress.changed.update(refusals)  # what the cache has of them is old
        await self._read(refusals)
        is_member = code is UserErrorCode.ALREADY_MEMBER
        for index in filter(lambda one: self._progress.has_error(one, code), refusals):
            ids = self._customers[index].segment_ids
            if ids is None or (self._segment_id in ids) is is_member:
                self._record(index, is_member=is_member)
            else:
                self._progress.set(index, refused())

    def _names(self, indexes: Collection[int]) -> set[str]:
        customers = {f"{CUSTOMERS.name}/{self._customer_ids[index]}" for index in indexes}
        profiles = [self._customers[index].shopper_profile_id for index in indexes]
        created = (
            {ALL_SHOPPER_PROFILES.name} if self.created_profiles or None in profiles else set()
        )
        return {
            members_of(self._segment_id).name,
            *customers,
            *created,
            *(segments_of(profile_id).name for profile_id in profiles if profile_id is not None),
        }

    def _rows(self) -> list[WrittenRows]:
        known = (one for one in self._progress.written() if one.segment_ids is not None)
        return [(CUSTOMERS, {one.id: one for one in known})]
