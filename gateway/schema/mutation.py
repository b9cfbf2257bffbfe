"""The mutation root."""

import strawberry

from gateway.schema.mutations.memberships import MembershipMutations
from gateway.schema.mutations.profiles import ProfileMutations
from gateway.schema.mutations.segments import SegmentMutations


# No description: each subgraph has a Mutation, and composers warn if they differ.
@strawberry.type
class Mutation(SegmentMutations, MembershipMutations, ProfileMutations):
    """The mutation root: its fields are carried out one after another (GraphQL, 6.2.2)."""
