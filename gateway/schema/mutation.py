"""The mutation root."""

import strawberry

from gateway.schema.mutations.memberships import MembershipMutations
from gateway.schema.mutations.profiles import ProfileMutations
from gateway.schema.mutations.segments import SegmentMutations


@strawberry.type(
    description=(
        "Everything that can be changed. The fields of one operation are carried out one after "
        "another."
    )
)
class Mutation(SegmentMutations, MembershipMutations, ProfileMutations):
    """The mutation root (GraphQL, 6.2.2)."""


# No description: each subgraph has a Mutation, and composers warn if they differ.
@strawberry.type(name="Mutation")
class SubgraphMutation(Mutation):
    """The mutation root as routers and composers see it."""
