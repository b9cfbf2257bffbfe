"""An engine of writes for the graph's own tests: it records calls, and answers what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from in_process import in_process
from strawberry.types.execution import PreExecutionError

from gateway.bigcommerce.models import Customer, Segment, ShopperProfile
from gateway.data_source.writes import (
    IfNameTaken,
    MembershipOutcome,
    NewSegment,
    SegmentChange,
    Writes,
)
from gateway.errors import UpstreamError
from gateway.identity import ALL_SCOPES, AccessScope, Client
from gateway.schema import Context, WriteAllowance, WriteLimits, build_graph
from gateway.user_errors import UserError
from gateway.web.graphql_errors import format_errors


@dataclass
class RecordedWrites:
    """`calls` has each call; `errors` are answered in place of what has such an id or name.

    `failure` is raised by each call.
    """

    errors: dict[object, UserError] = field(default_factory=dict)
    failure: UpstreamError | None = None
    calls: list[tuple[object, ...]] = field(default_factory=list)

    @property
    def as_writes(self) -> Writes:
        """The engine, as the graph takes it."""
        return cast(Writes, self)

    def _record(self, *call: object) -> None:
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure

    async def create_segments(
        self, new: Sequence[NewSegment], if_name_taken: IfNameTaken
    ) -> list[Segment | UserError]:
        self._record("create_segments", [*new], if_name_taken)
        return [
            self.errors.get(one.name) or Segment(uuid_of(n), one.name, one.description)
            for n, one in enumerate(new)
        ]

    async def update_segments(self, changes: Sequence[SegmentChange]) -> list[Segment | UserError]:
        self._record("update_segments", [*changes])
        return [self.errors.get(one.id) or Segment(one.id, "changed") for one in changes]

    async def delete_segments(self, ids: Sequence[str]) -> list[str | UserError]:
        return self._outcomes("delete_segments", ids)

    async def create_shopper_profiles(
        self, customer_ids: Sequence[int]
    ) -> list[ShopperProfile | UserError]:
        self._record("create_shopper_profiles", [*customer_ids])
        return [self.errors.get(n) or ShopperProfile(uuid_of(n), n) for n in customer_ids]

    async def delete_shopper_profiles(self, ids: Sequence[str]) -> list[str | UserError]:
        return self._outcomes("delete_shopper_profiles", ids)

    async def add_shopper_profiles(
        self, segment_id: str, profile_ids: Sequence[str]
    ) -> list[str | UserError]:
        return self._outcomes("add_shopper_profiles", profile_ids, segment_id)

    async def remove_shopper_profiles(
        self, segment_id: str, profile_ids: Sequence[str]
    ) -> list[str | UserError]:
        return self._outcomes("remove_shopper_profiles", profile_ids, segment_id)

    async def add_customers(
        self, segment_id: str, customer_ids: Sequence[int], create_missing_profiles: bool
    ) -> MembershipOutcome:
        self._record("add_customers", segment_id, [*customer_ids], create_missing_profiles)
        return self._membership(customer_ids, created_profiles=1)

    async def remove_customers(
        self, segment_id: str, customer_ids: Sequence[int]
    ) -> MembershipOutcome:
        self._record("remove_customers", segment_id, [*customer_ids])
        return self._membership(customer_ids, created_profiles=0)

    def _outcomes(self, name: str, ids: Sequence[str], *others: object) -> list[str | UserError]:
        self._record(name, *others, [*ids])
        return [self.errors.get(one) or one for one in ids]

    def _membership(self, customer_ids: Sequence[int], created_profiles: int) -> MembershipOutcome:
        return MembershipOutcome(
            [self.errors.get(n) or Customer(str(n)) for n in customer_ids], created_profiles
        )


def uuid_of(number: int) -> str:
    """Returns a uuid that is made of a number."""
    return f"00000000-0000-4000-8000-{number:012}"


GRAPH = build_graph()


async def mutate(
    writes: RecordedWrites,
    document: str,
    *,
    scopes: frozenset[AccessScope] = ALL_SCOPES,
    limits: WriteLimits = WriteLimits(),  # noqa: B008 - it cannot change
    **variables: object,
) -> tuple[Any, list[dict[str, Any]]]:
    """Returns the data of the answer, and the errors as clients see them."""
    services = in_process(3).services
    context = Context(
        Client("key:a", scopes),
        services.lists,
        services.segment_lookups,
        services.customers,
        writes.as_writes,
        GRAPH.sdl,
        rows_allowed=2500,
        representations_allowed=1000,
        lists_allowed=100,
        allowance=WriteAllowance(limits),
    )
    schema = await GRAPH.schema_for(document, "key:a")
    result = await schema.execute(document, variables, context)
    GRAPH.documents.cache.clear()  # other tests count documents
    before = isinstance(result, PreExecutionError)
    return result.data, [
        dict(error) for error in format_errors(result.errors or (), "r1", before_execution=before)
    ]
