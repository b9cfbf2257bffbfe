"""Writes to single rows: those are read again, and no others."""

import asyncio

from clock import settle
from in_process import InProcess, in_process

from gateway.bigcommerce.models import Customer
from gateway.data_source.collection import members_of
from gateway.emulator import Fault, seeded_store
from gateway.errors import UpstreamError

SHOWN = "{ customer(entityId: 1) { segments { totalCount } } }"
NAMED = "{ customer(entityId: 1) { firstName } }"


def gateway_of_customers() -> InProcess:
    return in_process(seeded_store(3, 10))


async def segments_of(gateway: InProcess, *ids: str) -> list[int]:
    """How many segments each customer is in."""
    rows = await gateway.services.customers.load(ids)
    return [len(row.segment_ids or ()) for row in rows if isinstance(row, Customer)]


def leave(gateway: InProcess, customer_id: int) -> None:
    """Another application takes a customer out of the first segment."""
    store = gateway.emulator.store
    profile = store.profiles.find(customer_id)
    assert profile is not None
    store.members.remove(store.segments[0].id, [profile])


async def announce(gateway: InProcess, *names: str) -> None:
    await gateway.services.invalidations.announce(names, gateway.services.cache.now())


async def test_only_the_row_is_read_again() -> None:
    gateway = gateway_of_customers()
    one, two = await segments_of(gateway, "1", "2")
    leave(gateway, 1)
    leave(gateway, 2)
    assert await segments_of(gateway, "1", "2") == [one, two]
    await announce(gateway, "customers/1")
    assert await segments_of(gateway, "1", "2") == [one - 1, two]
    assert gateway.sent[-1][2].split(b"&")[0] == b"id%3Ain=1"
    assert gateway.upstream_requests == 2
    assert await segments_of(gateway, "1", "2") == [one - 1, two]
    assert gateway.upstream_requests == 2


async def test_a_fill_that_left_before_a_write_to_its_row_is_followed_by_another() -> None:
    gateway = in_process(seeded_store(3, 10), LOOKUP_WINDOW_MILLISECONDS="0")
    answers = asyncio.Event()
    gateway.emulator.latency_seconds, gateway.emulator.sleep = 1, lambda _: answers.wait()
    asked = asyncio.ensure_future(segments_of(gateway, "1", "2"))
    await settle(200)
    assert gateway.upstream_requests == 1
    leave(gateway, 1)
    leave(gateway, 2)
    await announce(gateway, "customers/1")
    answers.set()
    one, two = await asked
    await settle()
    gateway.emulator.latency_seconds = 0
    assert gateway.upstream_requests == 2
    await announce(gateway, "customers/2")
    assert await segments_of(gateway, "1", "2") == [one, two - 1]


async def test_no_answer_that_shows_the_row_is_repeated() -> None:
    gateway = gateway_of_customers()
    answers = [await gateway.data(SHOWN) for _ in range(4)]
    assert answers[0] == answers[3]
    requests = gateway.upstream_requests
    leave(gateway, 1)
    assert await gateway.data(SHOWN) == answers[0]
    assert gateway.upstream_requests == requests
    await announce(gateway, "customers/1")
    before = answers[0]["customer"]["segments"]["totalCount"]
    assert await gateway.data(SHOWN) == {"customer": {"segments": {"totalCount": before - 1}}}
    assert gateway.upstream_requests == requests + 1


async def test_plans_and_answers_show_a_row_that_was_written() -> None:
    gateway = gateway_of_customers()
    store = gateway.emulator.store
    row = store.customers.find(1)
    assert row is not None
    answers = [await gateway.data(NAMED) for _ in range(4)]
    await announce(gateway, "customers/2")
    assert await gateway.data(NAMED) == answers[0]
    assert gateway.upstream_requests == 1
    await announce(gateway, "customers/1")
    assert await gateway.data(NAMED) == answers[0]
    assert gateway.upstream_requests == 2


async def test_a_write_to_a_group_ends_what_is_known_of_its_lists() -> None:
    gateway = gateway_of_customers()
    lists = gateway.services.lists
    collections = [members_of(row.id) for row in gateway.emulator.store.segments[:2]]

    async def requests() -> int:
        for collection in collections:
            await lists.of(collection).read(0)
        return gateway.upstream_requests

    assert await requests() == 2
    await announce(gateway, "shopper-profiles/*/segments")
    assert await requests() == 2
    await announce(gateway, "segments/*/shopper-profiles")
    assert await requests() == 4
    await announce(gateway, collections[0].name)
    assert await requests() == 5


async def test_a_row_from_before_a_write_is_not_served_for_an_error() -> None:
    gateway = gateway_of_customers()
    await gateway.services.customers.load(["1", "2"])
    await announce(gateway, "customers/1")
    gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None)
    one, two = await gateway.services.customers.load(["1", "2"])
    assert isinstance(one, UpstreamError)
    assert isinstance(two, Customer)
