"""What becomes of a write whose client has left, whose time is over, or whose process stops."""

import asyncio

import pytest
from clock import Clock, settle
from in_process import InProcess, in_process
from redis_server import redis_server

from gateway.bigcommerce.models import Segment
from gateway.data_source.writes import NewSegment, SegmentChange
from gateway.emulator import Fault, seeded_store
from gateway.emulator.faults import Rule
from gateway.errors import DeadlineTooClose, UpstreamForbidden
from gateway.request_scope import open_request_scope
from gateway.user_errors import UserError


def held_gateway(batch: int = 1) -> tuple[InProcess, asyncio.Event]:
    """Returns a gateway whose store answers once the event is set."""
    gateway = in_process(3, WRITE_BATCH_SEGMENTS=str(batch))
    answers = asyncio.Event()
    gateway.emulator.latency_seconds, gateway.emulator.sleep = 1, lambda _: answers.wait()
    return gateway, answers


def new(number: int) -> list[NewSegment]:
    return [NewSegment(f"new {n}") for n in range(number)]


def codes(outcomes: "list[Segment | UserError]") -> list[str]:
    return [one.code.value if isinstance(one, UserError) else "done" for one in outcomes]


async def test_a_write_whose_client_hangs_up_is_finished_and_announced() -> None:
    gateway, answers = held_gateway()
    answers.set()
    assert (await gateway.page())["totalCount"] == 3
    answers.clear()
    before = asyncio.all_tasks()
    client = asyncio.ensure_future(gateway.services.writes.create_segments(new(12)))
    await settle(200)
    client.cancel()
    await asyncio.gather(client, return_exceptions=True)
    assert client.cancelled()
    answers.set()
    await settle(1000)
    assert asyncio.all_tasks() <= before
    assert len(gateway.emulator.store.segments) == 15
    assert gateway.emulator.requests["create_segments"] == 12
    assert (await gateway.page())["totalCount"] == 15


async def test_at_its_deadline_a_write_reports_what_it_has_sent_and_what_not() -> None:
    gateway, answers = held_gateway()
    answers.set()
    await gateway.page()
    answers.clear()
    before = asyncio.all_tasks()
    with open_request_scope(0.05, "a client"):
        outcomes = await gateway.services.writes.create_segments(new(12))
    assert codes(outcomes) == ["OUTCOME_UNKNOWN"] * 8 + ["NOT_ATTEMPTED"] * 4
    # What was sent may be carried out by now: the next read asks.
    assert gateway.services.invalidations.written_at("segments") > 0
    answers.set()
    await settle(1000)
    assert asyncio.all_tasks() <= before
    assert gateway.emulator.requests["create_segments"] == 8
    assert (await gateway.page())["totalCount"] == 11


async def test_a_deadline_before_anything_was_sent_is_an_error() -> None:
    gateway, answers = held_gateway()
    with open_request_scope(0.05), pytest.raises(DeadlineTooClose):
        await gateway.services.writes.delete_segments([gateway.emulator.store.segments[0].id])
    assert gateway.emulator.requests == {"list_segments": 1}
    answers.set()
    await settle(200)
    assert gateway.emulator.requests == {"list_segments": 1}
    assert len(gateway.emulator.store.segments) == 3


async def test_a_process_that_stops_waits_for_its_writes() -> None:
    gateway, answers = held_gateway(batch=10)
    before = asyncio.all_tasks()
    async with gateway.services.running():
        client = asyncio.ensure_future(gateway.services.writes.create_segments(new(2)))
        await settle(200)
        client.cancel()
        asyncio.get_running_loop().call_later(0.05, answers.set)
    assert asyncio.all_tasks() - before == set()
    assert gateway.emulator.statuses == {"201": 1}
    assert gateway.services.invalidations.written_at("segments") > 0


async def test_a_row_that_another_process_has_written_meanwhile_is_not_stored() -> None:
    store = seeded_store(3)
    segment_id = store.segments[0].id
    carried_out, answers = asyncio.Event(), asyncio.Event()

    async def hold(_seconds: float) -> None:
        carried_out.set()
        await answers.wait()

    with redis_server() as redis:
        one, two = (in_process(store, REDIS_URL=redis.url) for _ in range(2))
        one.emulator.sleep = hold
        one.emulator.faults.rules.append(Rule(Fault.DRIP, seconds=1, operation="update_segments"))
        async with one.services.running(), two.services.running():
            first = asyncio.ensure_future(
                one.services.writes.update_segments([SegmentChange(segment_id, "first")])
            )
            await carried_out.wait()
            assert store.segments[0].name == "first"
            await two.services.writes.update_segments([SegmentChange(segment_id, "second")])
            answers.set()
            await first
            await one.services.invalidations.poll()
            rows = await one.services.segment_lookups.load([segment_id])
    assert [row.name for row in rows if isinstance(row, Segment)] == ["second"]


async def test_what_a_probe_of_the_token_held_back_was_not_refused() -> None:
    clock = Clock()
    gateway = in_process(3, WRITE_BATCH_SEGMENTS="1", clock=clock)
    writes = gateway.services.writes
    gateway.emulator.token_scope = "store_v2_customers_read_only"
    with pytest.raises(UpstreamForbidden):
        await writes.create_segments(new(3))
    gateway.emulator.token_scope = "store_v2_customers"
    gateway.emulator.reset_requests()
    gateway.emulator.latency_seconds, gateway.emulator.sleep = 1, lambda _: settle()
    clock.advance(60)
    outcomes = await writes.create_segments(new(3))
    assert codes(outcomes) == ["done", "NOT_ATTEMPTED", "NOT_ATTEMPTED"]
    assert gateway.emulator.requests["create_segments"] == 1
    assert codes(await writes.create_segments(new(3)[1:])) == ["done", "done"]
