"""Writes of segments, over the emulator in both published dialects."""

from typing import Literal

import pytest
from in_process import InProcess, in_process

from gateway.app.readiness import readiness_of
from gateway.bigcommerce.models import Segment
from gateway.data_source.writes import IfNameTaken, NewSegment, SegmentChange
from gateway.emulator import Fault
from gateway.emulator.operation_names import OperationName
from gateway.errors import CircuitOpen, UpstreamForbidden, UpstreamUnavailable
from gateway.user_errors import UserError

Dialect = Literal["2025", "2026"]
both_dialects = pytest.mark.parametrize("dialect", ["2025", "2026"])
ABSENT = "00000000-0000-4000-8000-000000000001"


def gateway_of(segments: int, dialect: Dialect = "2026", batch: int = 10) -> InProcess:
    gateway = in_process(segments, WRITE_BATCH_SEGMENTS=str(batch))
    gateway.emulator.dialect = dialect
    return gateway


def names_of(gateway: InProcess) -> list[str]:
    return [row.name for row in gateway.emulator.store.segments]


def shown(outcomes: "list[Segment | UserError]") -> list[str | None]:
    """The name of each segment, or the code of each error."""
    return [one.code.value if isinstance(one, UserError) else one.name for one in outcomes]


def new(*names: str) -> list[NewSegment]:
    return [NewSegment(name) for name in names]


@both_dialects
async def test_created_segments_are_returned_in_order_and_need_no_read(dialect: Dialect) -> None:
    gateway = gateway_of(2, dialect)
    outcomes = await gateway.services.writes.create_segments(
        [NewSegment("  One "), NewSegment("Two", "second")]
    )
    assert shown(outcomes) == ["One", "Two"]
    assert names_of(gateway)[2:] == ["One", "Two"]
    assert gateway.upstream_requests == 1
    ids = [one.id for one in outcomes if isinstance(one, Segment)]
    assert await gateway.services.segment_lookups.load(ids) == outcomes
    assert gateway.upstream_requests == 1
    assert (await gateway.page(first=10))["totalCount"] == 4


@both_dialects
async def test_a_list_that_was_cached_shows_what_was_written(dialect: Dialect) -> None:
    gateway = gateway_of(2, dialect)
    writes, (first, second) = gateway.services.writes, gateway.emulator.store.segments
    assert (await gateway.page())["totalCount"] == 2
    await writes.create_segments(new("Three"))
    assert (await gateway.page())["totalCount"] == 3
    await writes.update_segments([SegmentChange(first.id, name="Renamed")])
    query = f'{{ segment(entityId: "{first.id}") {{ name }} }}'
    assert await gateway.data(query) == {"segment": {"name": "Renamed"}}
    assert await writes.delete_segments([second.id, first.id]) == [second.id, first.id]
    assert await gateway.data(query) == {"segment": None}
    assert (await gateway.page())["totalCount"] == 1


@both_dialects
async def test_a_name_that_is_taken_keeps_no_other_segment_from_being_created(
    dialect: Dialect,
) -> None:
    gateway = gateway_of(3, dialect)
    taken = names_of(gateway)[1]
    outcomes = await gateway.services.writes.create_segments(
        new("a", taken, "b", "", "a", "x" * 1001, "c")
    )
    assert shown(outcomes) == ["a", "NAME_TAKEN", "b", "INVALID", "NAME_TAKEN", "INVALID", "c"]
    assert names_of(gateway)[3:] == ["a", "b", "c"]
    # the batch, the list, and the batch without the name
    assert gateway.upstream_requests == 3


@both_dialects
@pytest.mark.parametrize("if_taken", [IfNameTaken.KEEP, IfNameTaken.UPDATE])
async def test_segments_that_have_the_name_are_kept_or_updated(
    if_taken: IfNameTaken, dialect: Dialect
) -> None:
    gateway = gateway_of(3, dialect)
    first, second, third = gateway.emulator.store.segments
    outcomes = await gateway.services.writes.create_segments(
        [
            NewSegment(first.name, "changed"),
            NewSegment("new"),
            NewSegment(second.name),
            NewSegment(third.name, third.description),
        ],
        if_taken,
    )
    assert shown(outcomes) == [first.name, "new", second.name, third.name]
    is_updated = if_taken is IfNameTaken.UPDATE
    stored = gateway.emulator.store.segments
    assert [row.description for row in stored] == [
        "changed" if is_updated else first.description,
        second.description,
        third.description,
        None,
    ]
    assert isinstance(outcomes[0], Segment)
    assert outcomes[0].description == stored[0].description
    assert gateway.emulator.requests == {
        "list_segments": 1,
        "create_segments": 1,
        **({"update_segments": 1} if is_updated else {}),
    }


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.LOST_ANSWER])
@both_dialects
async def test_sixty_segments_are_reported_as_they_are_in_the_store(
    fault: Fault, dialect: Dialect
) -> None:
    gateway = gateway_of(120, dialect)
    names = [f"new {n}" for n in range(60)]
    before = names_of(gateway)
    names[7], names[23], names[41], names[50] = *before[:3], " "
    gateway.emulator.faults.skip(2, operation="create_segments")
    gateway.emulator.faults.add(fault, operation="create_segments")
    outcomes = shown(await gateway.services.writes.create_segments(new(*names)))
    created = set(names_of(gateway)) - set(before)
    unknown = [name for name, one in zip(names, outcomes, strict=True) if one == "OUTCOME_UNKNOWN"]
    assert 9 <= len(unknown) <= 10  # one request's
    for name, outcome in zip(names, outcomes, strict=True):
        match outcome:
            case "INVALID":
                assert name == " "
            case "NAME_TAKEN":
                assert name in before
            case "NOT_ATTEMPTED":
                assert name not in created
            case "OUTCOME_UNKNOWN":
                is_done = fault is Fault.LOST_ANSWER and not set(unknown) & set(before)
                assert (name in created) is is_done
            case _:
                assert outcome == name
                assert name in created
    assert created == {one for one in outcomes if one in names} | (created & set(unknown))
    assert (await gateway.page())["totalCount"] == 120 + len(created)


@both_dialects
async def test_an_answer_that_is_lost_leaves_the_outcome_unknown(dialect: Dialect) -> None:
    gateway = gateway_of(3, dialect, batch=2)
    assert (await gateway.page())["totalCount"] == 3
    gateway.emulator.faults.add(Fault.LOST_ANSWER, operation="create_segments")
    outcomes = shown(await gateway.services.writes.create_segments(new("a", "b")))
    assert outcomes == ["OUTCOME_UNKNOWN"] * 2
    assert names_of(gateway)[3:] == ["a", "b"]
    assert gateway.emulator.requests["create_segments"] == 1  # not sent again
    assert (await gateway.page())["totalCount"] == 5


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.TRUNCATED, Fault.RESET, Fault.SERVER_ERROR])
@both_dialects
async def test_a_write_is_never_sent_again_where_it_may_have_been_carried_out(
    fault: Fault, dialect: Dialect
) -> None:
    gateway = gateway_of(3, dialect)
    row = gateway.emulator.store.segments[0]
    await gateway.page()
    operations: tuple[OperationName, ...] = (
        "create_segments",
        "update_segments",
        "delete_segments",
    )
    for operation in operations:
        gateway.emulator.faults.add(fault, operation=operation)
    writes = gateway.services.writes
    created = await writes.create_segments(new("a"))
    updated = await writes.update_segments([SegmentChange(row.id, description="new")])
    deleted = await writes.delete_segments([row.id])
    outcomes = [*created, *updated, *deleted]
    codes = [one.code.value for one in outcomes if isinstance(one, UserError)]
    is_empty = (fault, dialect) == (Fault.TRUNCATED, "2025")  # a 204 has nothing to truncate
    assert codes == ["OUTCOME_UNKNOWN"] * (2 if is_empty else 3)
    written = {name: n for name, n in gateway.emulator.requests.items() if "list" not in name}
    assert written == {"create_segments": 1, "update_segments": 1, "delete_segments": 1}


@both_dialects
async def test_updates_report_what_is_wrong_and_make_the_rest(dialect: Dialect) -> None:
    gateway = gateway_of(5, dialect)
    a, b, c, d, e = gateway.emulator.store.segments
    outcomes = await gateway.services.writes.update_segments(
        [
            SegmentChange(a.id, name=" A "),
            SegmentChange(ABSENT, name="nobody's"),
            SegmentChange(b.id, name=e.name),
            SegmentChange(a.id, name="again"),
            SegmentChange(c.id),
            SegmentChange(c.id, description=None),
            SegmentChange(d.id, name="A"),
            SegmentChange(d.id, name=None),
        ]
    )
    assert shown(outcomes) == [
        "A",
        "NOT_FOUND",
        "NAME_TAKEN",
        "INVALID",
        "INVALID",
        "INVALID",
        "NAME_TAKEN",
        "INVALID",
    ]
    assert names_of(gateway) == ["A", b.name, c.name, d.name, e.name]


@both_dialects
async def test_only_segments_that_exist_are_deleted(dialect: Dialect) -> None:
    gateway = gateway_of(3, dialect)
    a, b, _ = gateway.emulator.store.segments
    outcomes = await gateway.services.writes.delete_segments([a.id, ABSENT, b.id])
    codes = [one.code.value if isinstance(one, UserError) else one for one in outcomes]
    assert codes == [a.id, "NOT_FOUND", b.id]
    assert len(gateway.emulator.store.segments) == 1
    assert await gateway.services.writes.delete_segments([]) == []
    assert gateway.emulator.unbounded_deletes == 0


@both_dialects
async def test_a_segment_deleted_by_another_application_is_not_found(dialect: Dialect) -> None:
    gateway = gateway_of(3, dialect)
    row = gateway.emulator.store.segments[0]
    await gateway.page()
    gateway.emulator.store.delete([row.id])
    (outcome,) = await gateway.services.writes.delete_segments([row.id])
    if dialect == "2025":  # a 204 says nothing
        assert outcome == row.id
    else:
        assert isinstance(outcome, UserError)
        assert outcome.code == "NOT_FOUND"


@both_dialects
async def test_batches_that_are_too_large_are_halved_and_remembered(dialect: Dialect) -> None:
    gateway = gateway_of(0, dialect)
    gateway.emulator.max_batch = 3
    writes = gateway.services.writes
    outcomes = await writes.create_segments(new(*map(str, range(10))))
    assert shown(outcomes) == [str(n) for n in range(10)]
    assert gateway.emulator.requests["create_segments"] == 1 + 2 + 4
    await writes.create_segments(new("a", "b", "c", "d"))
    assert gateway.emulator.requests["create_segments"] == 9


@both_dialects
async def test_the_room_that_is_left_is_used(dialect: Dialect) -> None:
    gateway = gateway_of(997, dialect)
    outcomes = await gateway.services.writes.create_segments(new(*"abcdefghij"))
    assert shown(outcomes).count("LIMIT_REACHED") == 7
    assert len(gateway.emulator.store.segments) == 1000


async def test_twelve_taken_names_and_a_forbidden_write_leave_all_else_working() -> None:
    gateway = gateway_of(3)
    taken = names_of(gateway)[0]
    writes = gateway.services.writes
    for _ in range(12):
        assert shown(await writes.create_segments(new(taken))) == ["NAME_TAKEN"]
    assert gateway.emulator.requests == {"create_segments": 12}
    gateway.emulator.forbidden_operations = frozenset({"update_segments"})
    row = gateway.emulator.store.segments[0]
    with pytest.raises(UpstreamForbidden):
        await writes.update_segments([SegmentChange(row.id, name="x")])
    with pytest.raises(UpstreamForbidden):
        await writes.update_segments([SegmentChange(row.id, name="x")])
    assert gateway.emulator.requests["update_segments"] == 1  # it pauses
    assert shown(await writes.create_segments(new("free"))) == ["free"]
    assert await writes.delete_segments([row.id]) == [row.id]
    assert (await gateway.page())["totalCount"] == 3
    assert (await readiness_of(gateway.services)).is_ready


async def test_an_error_by_which_nothing_was_changed_is_raised() -> None:
    gateway = gateway_of(1)
    for _ in range(8):
        gateway.emulator.faults.add(Fault.SERVER_ERROR, operation="create_segments")
        await gateway.services.writes.create_segments(new("a"))
    with pytest.raises(CircuitOpen):
        await gateway.services.writes.create_segments(new("a", ""))
    gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None, operation="list_segments")
    with pytest.raises(UpstreamUnavailable):
        await gateway.services.writes.create_segments(new("a"), IfNameTaken.KEEP)
