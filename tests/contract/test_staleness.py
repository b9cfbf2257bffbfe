"""What clients are told of the age of an answer, clause by clause, through the whole gateway."""

import asyncio

import httpx
import pytest
from in_process import InProcess, in_process

from gateway.emulator import Fault, Rule

FIRST = "{ segments(first: 2) { totalCount nodes { name } } }"


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


def a_gateway() -> tuple[InProcess, Clock]:
    clock = Clock()
    return in_process(300, clock=clock), clock


async def ask(gateway: InProcess, query: str = FIRST) -> httpx.Response:
    """Asks, and lets what began in the background end."""
    answer = await gateway.http.post("/graphql", json={"query": query})
    for _ in range(100):
        await asyncio.sleep(0)
    return answer


def told(answer: httpx.Response) -> tuple[object, str | None, str | None]:
    """`extensions.cache`, `Age` and `Cache-Status`."""
    cache = answer.json().get("extensions", {}).get("cache")
    return cache, answer.headers.get("age"), answer.headers.get("cache-status")


async def test_fresh_answer_tells_its_age_alone() -> None:
    gateway, clock = a_gateway()
    assert told(await ask(gateway)) == ({"age": 0, "stale": False}, "0", None)
    clock.seconds += 14.9
    assert told(await ask(gateway)) == ({"age": 14, "stale": False}, "14", None)
    assert gateway.upstream_requests == 1


async def test_answer_made_of_nothing_that_was_read_tells_nothing() -> None:
    gateway, _ = a_gateway()
    assert told(await ask(gateway, "{ __typename }")) == (None, None, None)


async def test_stale_answer_says_so_and_is_filled_behind_it() -> None:
    gateway, clock = a_gateway()
    await ask(gateway)
    clock.seconds += 20
    assert told(await ask(gateway)) == (
        {"age": 20, "stale": True},
        "20",
        "segments-gateway; hit; ttl=-5",
    )
    assert told(await ask(gateway))[0] == {"age": 0, "stale": False}
    assert gateway.upstream_requests == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Rule(Fault.SERVER_ERROR), "UPSTREAM_UNAVAILABLE"),
        (Rule(Fault.HTML), "UPSTREAM_UNAVAILABLE"),
        (Rule(Fault.STATUS, status=404), "UPSTREAM_UNAVAILABLE"),
        (Rule(Fault.STATUS, status=413), "UPSTREAM_UNAVAILABLE"),
        (Rule(Fault.RATE_LIMITED), "RATE_LIMITED"),
    ],
)
@pytest.mark.parametrize(
    "query",
    [
        FIRST,
        "{ segments { totalCount } }",
        "{ segments(last: 3) { nodes { name } } }",
        '{ segment(entityId: "1a466884-f3f4-4249-9c28-ff90a5aec797") { name } }',
    ],
)
async def test_stale_for_an_error_names_it(fault: Rule, code: str, query: str) -> None:
    gateway, clock = a_gateway()
    data = (await ask(gateway, query)).json()["data"]
    gateway.emulator.faults.rules = [fault]
    clock.seconds += 100
    for _ in range(2):
        answer = await ask(gateway, query)
        assert answer.json()["data"] == data
        assert told(answer) == (
            {"age": 100, "stale": True, "error": code},
            "100",
            f"segments-gateway; hit; ttl=-85; detail={code}",
        )
    clock.seconds += 515.1
    assert (await ask(gateway, query)).json()["errors"][0]["extensions"]["code"] == code


async def test_age_is_that_of_the_oldest_part() -> None:
    gateway, clock = a_gateway()
    await ask(gateway)
    clock.seconds += 10
    await ask(gateway, "{ segments(last: 1) { nodes { name } } }")
    clock.seconds += 1
    both = "{ a: segments(first: 1) { nodes { name } } b: segments(last: 1) { nodes { name } } }"
    assert told(await ask(gateway, both))[0] == {"age": 11, "stale": False}


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_token_keeps_what_is_stale_back(status: int) -> None:
    gateway, clock = a_gateway()
    await ask(gateway)
    gateway.emulator.faults.rules = [Rule(Fault.STATUS, status=status)]
    clock.seconds += 20
    assert told(await ask(gateway))[0] == {"age": 20, "stale": True}  # nobody knew by then
    await gateway.ask("{ __typename }")
    answer = (await ask(gateway)).json()
    assert answer["errors"][0]["extensions"]["code"] == "UPSTREAM_FORBIDDEN"
    assert answer["data"] == {"segments": None}
    gateway.emulator.faults.rules = []
    clock.seconds += 5
    assert told(await ask(gateway))[0] == {"age": 0, "stale": False}


async def test_absence_is_fresh_and_then_asked_for_again_before_it_is_told() -> None:
    gateway, clock = a_gateway()
    query = '{ segment(entityId: "00000000-0000-4000-8000-000000000001") { name } }'
    for _ in range(2):
        assert (await ask(gateway, query)).json()["data"] == {"segment": None}
    assert gateway.upstream_requests == 1
    clock.seconds += 20
    assert told(await ask(gateway, query))[0] == {"age": 0, "stale": False}
    assert gateway.upstream_requests == 2
    gateway.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    clock.seconds += 20
    answer = await ask(gateway, query)
    assert answer.json()["data"] == {"segment": None}
    assert told(answer)[0] == {"age": 20, "stale": True, "error": "UPSTREAM_UNAVAILABLE"}


async def test_parts_that_failed_do_not_hide_the_age_of_others() -> None:
    gateway, clock = a_gateway()
    await ask(gateway)
    gateway.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    clock.seconds += 5
    known = gateway.emulator.store.segments[0].id
    unknown = "00000000-0000-4000-8000-000000000001"
    fields = [
        f'{name}: segment(entityId: "{i}") {{ name }}' for name, i in [("a", known), ("b", unknown)]
    ]
    answer = await ask(gateway, f"{{ {' '.join(fields)} }}")
    body = answer.json()
    assert body["data"] == {"a": {"name": "VIP customers"}, "b": None}
    assert [error["path"] for error in body["errors"]] == [["b"]]
    assert told(answer)[0] == {"age": 5, "stale": False}


async def test_staleness_can_be_turned_off() -> None:
    clock = Clock()
    gateway = in_process(
        300,
        clock=clock,
        CACHE_STALE_WHILE_REVALIDATE_SECONDS="0",
        CACHE_STALE_IF_ERROR_SECONDS="0",
    )
    await ask(gateway)
    clock.seconds += 15.1
    assert told(await ask(gateway))[0] == {"age": 0, "stale": False}
    gateway.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    clock.seconds += 15.1
    assert "errors" in (await ask(gateway)).json()


async def test_blocks_far_apart_in_time_are_read_again_unless_the_upstream_fails() -> None:
    gateway, clock = a_gateway()
    over_both = "{ segments(last: 60) { nodes { name } } }"
    await ask(gateway, "{ segments(first: 1) { nodes { name } } }")
    clock.seconds += 40
    await ask(gateway, "{ segments(last: 1) { nodes { name } } }")
    assert gateway.upstream_requests == 2
    assert told(await ask(gateway, over_both))[0] == {"age": 0, "stale": False}
    assert gateway.upstream_requests == 3
    clock.seconds += 40
    await ask(gateway, "{ segments(last: 1) { nodes { name } } }")  # only its own block is filled
    gateway.emulator.faults.rules = [Rule(Fault.SERVER_ERROR)]
    answer = await ask(gateway, over_both)
    assert len(answer.json()["data"]["segments"]["nodes"]) == 60
    assert told(answer)[0] == {"age": 40, "stale": True, "error": "UPSTREAM_UNAVAILABLE"}


async def test_at_the_reserve_nothing_is_read_in_the_background() -> None:
    gateway, clock = a_gateway()
    gateway.emulator.window.quota = 150
    for _ in range(134):  # by another app
        gateway.emulator.window.take()
    await ask(gateway)
    clock.seconds += 20
    for _ in range(3):
        assert told(await ask(gateway))[0] == {"age": 20, "stale": True}
    assert gateway.upstream_requests == 1
    await ask(gateway, "{ segments(last: 1) { nodes { name } } }")  # nobody has that
    assert gateway.upstream_requests == 2


async def test_quota_used_up_is_an_error_only_where_nothing_is_at_hand() -> None:
    gateway, clock = a_gateway()
    gateway.emulator.window.quota = 1
    await ask(gateway)
    clock.seconds += 5
    cold = (await ask(gateway, "{ segments(last: 1) { nodes { name } } }")).json()
    assert cold["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 26}
    assert gateway.upstream_requests == 1
    clock.seconds += 80
    assert told(await ask(gateway))[0] == {"age": 0, "stale": False}  # the window has passed
