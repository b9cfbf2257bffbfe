"""Creates and deletes shopper profiles, and puts them and their customers into segments."""

from collections.abc import Collection, Sequence
from functools import partial

from gateway.bigcommerce import writes
from gateway.bigcommerce.models import Customer, ShopperProfile
from gateway.data_source.collection import (
    ALL_MEMBERS,
    ALL_MEMBERSHIPS,
    ALL_SHOPPER_PROFILES,
    CUSTOMERS,
    members_of,
    segments_of,
)
from gateway.data_source.writes.by_ids import MembershipWrite, WriteByIds
from gateway.data_source.writes.customer_memberships import CustomerMemberships
from gateway.data_source.writes.inputs import MembershipOutcome
from gateway.data_source.writes.profile_creation import ProfileCreation
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import deletion_error
from gateway.data_source.writes.running import Effects
from gateway.data_source.writes.store_customers import StoreCustomers
from gateway.data_source.writes.store_writes import StoreWrites
from gateway.user_errors import UserError


class ProfileWrites(StoreWrites):
    """The writes to shopper profiles and to memberships."""

    async def create_shopper_profiles(
        self, customer_ids: Sequence[int]
    ) -> list[ShopperProfile | UserError]:
        """Creates the profiles of customers; returns each."""
        progress = Progress[ShopperProfile](len(customer_ids), self._now())
        creation = ProfileCreation(
            dict(enumerate(customer_ids)),
            self._batch_profiles,
            progress,
            StoreCustomers(self._lists),
            progress.set,
        )

        def names(indexes: Collection[int]) -> set[str]:
            customers = {f"{CUSTOMERS.name}/{customer_ids[index]}" for index in indexes}
            return {ALL_SHOPPER_PROFILES.name, *customers}

        return await self.running.carry_out(
            progress, lambda: self._batches.send(creation), Effects(names)
        )

    async def delete_shopper_profiles(self, ids: Sequence[str]) -> list[str | UserError]:
        """Deletes profiles, and with them what segments their customers are in; returns their ids.

        A store that answers 204 does not say which of them it had: all of them count as deleted.
        """
        progress = Progress[str](len(ids), self._now())
        deletion = WriteByIds(
            "delete_shopper_profiles",
            dict(enumerate(ids)),
            writes.delete_shopper_profiles,
            self._batch_profiles,
            progress,
            deletion_error("The shopper profile"),
            lambda index: progress.set(index, ids[index]),
        )
        # Which customers had them is not known.
        names = {ALL_SHOPPER_PROFILES.name, CUSTOMERS.name, ALL_MEMBERS, ALL_MEMBERSHIPS}
        return await self.running.carry_out(
            progress, lambda: self._batches.send(deletion), Effects(lambda _: names)
        )

    async def add_shopper_profiles(
        self, segment_id: str, profile_ids: Sequence[str]
    ) -> list[str | UserError]:
        """Puts profiles into a segment; returns their ids."""
        return await self._write_members(segment_id, profile_ids, is_addition=True)

    async def remove_shopper_profiles(
        self, segment_id: str, profile_ids: Sequence[str]
    ) -> list[str | UserError]:
        """Takes profiles out of a segment; returns their ids."""
        return await self._write_members(segment_id, profile_ids, is_addition=False)

    async def add_customers(
        self, segment_id: str, customer_ids: Sequence[int], create_missing_profiles: bool
    ) -> MembershipOutcome:
        """Puts customers into a segment; one that is in it already counts as put into it."""
        progress = Progress[Customer](len(customer_ids), self._now())
        memberships = self._memberships(segment_id, customer_ids, progress)
        outcomes = await self.running.carry_out(
            progress,
            partial(memberships.add, create_missing_profiles=create_missing_profiles),
            memberships.effects,
        )
        return MembershipOutcome(outcomes, memberships.created_profiles)

    async def remove_customers(
        self, segment_id: str, customer_ids: Sequence[int]
    ) -> MembershipOutcome:
        """Takes customers out of a segment; one that is not in it counts as taken out."""
        progress = Progress[Customer](len(customer_ids), self._now())
        memberships = self._memberships(segment_id, customer_ids, progress)
        outcomes = await self.running.carry_out(progress, memberships.remove, memberships.effects)
        return MembershipOutcome(outcomes, 0)

    async def _write_members(
        self, segment_id: str, profile_ids: Sequence[str], *, is_addition: bool
    ) -> list[str | UserError]:
        progress = Progress[str](len(profile_ids), self._now())
        write = MembershipWrite(
            segment_id,
            dict(enumerate(profile_ids)),
            self._batch_profiles,
            progress,
            lambda index: progress.set(index, profile_ids[index]),
            self._segments(),
            is_addition=is_addition,
        )

        def names(indexes: Collection[int]) -> set[str]:
            # Which customers have these profiles is not known.
            lists = {segments_of(profile_ids[index]).name for index in indexes}
            return {members_of(segment_id).name, CUSTOMERS.name, *lists}

        return await self.running.carry_out(
            progress, lambda: self._batches.send(write), Effects(names)
        )

    def _memberships(
        self, segment_id: str, customer_ids: Sequence[int], progress: Progress[Customer]
    ) -> CustomerMemberships:
        return CustomerMemberships(
            segment_id,
            customer_ids,
            self._batches,
            self._batch_profiles,
            progress,
            self._segments(),
            StoreCustomers(self._lists),
        )
