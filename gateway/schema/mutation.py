"""The mutation root."""

import strawberry

from gateway.schema.mutations.memberships import MembershipMutations
from gateway.schema.mutations.profiles import ProfileMutations
from gateway.schema.mutations.segments import SegmentMutations


@strawberry.type(description="Everything that can be changed.")
class Mutation(SegmentMutations, MembershipMutations, ProfileMutations):
    """The mutation root: its fields are carried out one after another (GraphQL, 6.2.2)."""
