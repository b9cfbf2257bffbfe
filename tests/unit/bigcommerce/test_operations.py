"""Operations on a wire that the test holds, in virtual time and without backoffs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest
from clock import settle
from virtual_time import in_virtual_time
from wire import EMPTY, LIST, HeldWire

from gateway.bigcommerce.limiter import MAXIMUM_IN_FLIGHT
from gateway.bigcommerce.listings import SEGMENTS
from gateway.bigcommerce.operation_health import BAD_IDS_IN_A_ROW, FAILURES_IN_A_ROW
from gateway.bigcommerce.protocol import Answer, Request
from gateway.bigcommerce.retry_budget import MOST_SAVED, RetryBudget
from gateway.errors import (
    CircuitOpen,
    ErrorCode,
    RateLimited,
    UpstreamError,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreadable,
)

ID = "00000000-0000-4000-8000-000000000001"
HTML = b"<html>"
OTHER = replace(LIST, operation="list_segment_shopper_profiles")


async def fail(wire: HeldWire, times: int) -> None:
    """Lets operations fail that are not retried."""
    for _ in range(times):
        asked = await wire.ask("POST")
        await wire.answer(500)
        with pytest.raises(UpstreamUnavailable):
            await asked


async def refuse_token(wire: HeldWire) -> None:
    asked = await wire.ask()
    await wire.answer(403)
    with pytest.raises(UpstreamForbidden):
        await asked


async def ask_for(wire: HeldWire, request: Request) -> "asyncio.Task[int]":
    """Starts a request whose answer is not read."""
    asked = asyncio.ensure_future(wire.upstream.ask(request, lambda answer: answer.status))
    await settle()
    return asked


def reasons(wire: HeldWire, operation: str = LIST.operation) -> list[ErrorCode | None]:
    """Why a refresh is deferred in the background and in the foreground."""
    return [
        wire.upstream.defer_reason(operation, foreground=foreground) for foreground in (False, True)
    ]


FAILURES: dict[str, Callable[[HeldWire], Awaitable[None]]] = {
    "connection": lambda wire: wire.fail(httpx.ConnectError("no")),
    "reset": lambda wire: wire.fail(httpx.ReadError("cut")),
    "timeout": lambda _: asyncio.sleep(36),
    "500": lambda wire: wire.answer(500),
    "503": lambda wire: wire.answer(503),
    "html": lambda wire: wire.answer(body=HTML),
    "408": lambda wire: wire.answer(408),
}


@pytest.mark.parametrize("failure", FAILURES)
@in_virtual_time
async def test_failure_that_may_pass_is_retried(failure: str) -> None:
    wire = HeldWire()
    asked = await wire.ask()
    await FAILURES[failure](wire)
    await settle()
    assert (asked.done(), wire.requests) == (False, 2)
    await wire.answer()
    assert await asked == 0
    assert (wire.upstream.budget.spent, wire.upstream.state) == (1, "answers")


@pytest.mark.parametrize("failure", [name for name in FAILURES if name != "timeout"])
@in_virtual_time
async def test_last_of_three_failures_is_raised(failure: str) -> None:
    wire = HeldWire()
    asked = await wire.ask()
    for _ in range(3):
        await FAILURES[failure](wire)
    with pytest.raises(UpstreamUnavailable):
        await asked
    state = "sends what cannot be read" if failure == "html" else "fails"
    assert (wire.requests, wire.upstream.state) == (3, state)
    assert (wire.upstream.budget.spent, wire.upstream.budget.denied) == (2, 0)


@pytest.mark.parametrize("failure", [name for name in FAILURES if name != "connection"])
@in_virtual_time
async def test_write_that_may_have_been_done_is_not_sent_again(failure: str) -> None:
    wire = HeldWire()
    asked = await wire.ask("POST")
    await FAILURES[failure](wire)
    with pytest.raises((UpstreamUnavailable, UpstreamTimeout)):
        await asked
    assert (wire.requests, wire.upstream.budget.spent) == (1, 0)


@in_virtual_time
async def test_write_that_was_not_sent_is_retried() -> None:
    wire = HeldWire()
    asked = await wire.ask("POST")
    await wire.fail(httpx.ConnectError("no"))
    await wire.answer()
    assert (await asked, wire.requests) == (0, 2)


@pytest.mark.parametrize(
    ("error", "was_sent"),
    [
        (httpx.ConnectError("no"), False),
        (httpx.ReadError("cut"), True),
        (httpx.WriteError("cut"), True),
        (httpx.RemoteProtocolError("Server disconnected"), True),
    ],
)
@in_virtual_time
async def test_error_says_whether_the_request_was_sent(error: Exception, was_sent: bool) -> None:
    wire = HeldWire()
    asked = asyncio.ensure_future(wire.client.send(LIST, 60))
    await settle()
    await wire.fail(error)
    with pytest.raises(UpstreamError) as raised:
        await asked
    assert raised.value.was_sent is was_sent


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
@in_virtual_time
async def test_refusal_is_an_answer_and_not_retried(status: int) -> None:
    wire = HeldWire()
    for _ in range(2 * FAILURES_IN_A_ROW):
        asked = await wire.ask()
        await wire.answer(status)
        with pytest.raises(UpstreamRefused):
            await asked
    assert wire.requests == 2 * FAILURES_IN_A_ROW
    assert wire.upstream.state == "refuses requests"


@in_virtual_time
async def test_answer_that_cannot_be_read_is_no_failure_of_the_upstream() -> None:
    wire = HeldWire()
    for _ in range(2 * FAILURES_IN_A_ROW):
        page = wire.upstream.fetch_page(SEGMENTS, 1, 250, retry_unreadable=False)
        asked = asyncio.ensure_future(page)
        await settle()
        await wire.answer(body=HTML)
        with pytest.raises(UpstreamUnreadable):
            await asked
    assert wire.requests == 2 * FAILURES_IN_A_ROW
    assert wire.upstream.state == "sends what cannot be read"


@pytest.mark.parametrize("method", ["GET", "POST"])
@in_virtual_time
async def test_429_is_retried_after_the_reset(method: str) -> None:
    wire = HeldWire()
    asked = await wire.ask(method)
    await wire.answer(429, left=0, resets_in=20)
    assert (asked.done(), wire.requests) == (False, 1)
    await asyncio.sleep(20.5)
    assert wire.requests == 2
    await wire.answer()
    assert await asked == 0


@in_virtual_time
async def test_429_is_raised_at_once_if_the_reset_is_beyond_the_deadline() -> None:
    wire = HeldWire(timeout_seconds=10)
    asked = await wire.ask()
    await wire.answer(429, left=0, resets_in=20.2)
    with pytest.raises(RateLimited, match="in 21 seconds") as error:
        await asked
    assert error.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 21}
    assert (wire.requests, wire.upstream.budget.spent) == (1, 0)


@in_virtual_time
async def test_retries_cost_a_budget_that_all_operations_share() -> None:
    wire = HeldWire()
    for _ in range(40):
        asked = await wire.ask()
        while not asked.done():
            await wire.answer(503 if wire.requests % 7 else 200)
        asked.exception()
        await asyncio.sleep(40)
    budget = wire.upstream.budget
    assert budget.denied > 0
    assert budget.spent <= MOST_SAVED + 40 * 0.2


def test_five_operations_earn_a_retry() -> None:
    budget = RetryBudget()
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]
    # Fifths do not add up to a whole in binary.
    for _ in range(6):
        budget.earn()
    assert [budget.spend(), budget.spend()] == [True, False]
    assert (budget.spent, budget.denied) == (11, 2)


@in_virtual_time
async def test_attempt_that_hangs_leaves_time_for_another(caplog: pytest.LogCaptureFixture) -> None:
    wire = HeldWire(timeout_seconds=10)
    with pytest.raises(UpstreamTimeout, match="did not answer in time"):
        await (await wire.ask())
    assert (wire.requests, asyncio.get_running_loop().time()) == (2, 10)
    assert [line for line in caplog.messages if "no answer" in line] == [
        f"list_segments: no answer from the upstream within {seconds} seconds" for seconds in (6, 4)
    ]
    assert wire.limiter.quota.in_flight == 0


@in_virtual_time
async def test_each_attempt_but_the_first_is_logged_at_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", "gateway.bigcommerce.operations")
    wire = HeldWire()
    asked = await wire.ask()
    for _ in range(3):
        await wire.answer(500)
    with pytest.raises(UpstreamUnavailable):
        await asked
    name = "gateway.bigcommerce.operations"
    assert [line for line in caplog.record_tuples if line[0] == name] == [
        (name, logging.DEBUG, f"list_segments: attempt {number}") for number in (2, 3)
    ]


UNAVAILABLE = ErrorCode.UPSTREAM_UNAVAILABLE


@pytest.mark.parametrize(
    ("status", "background", "foreground"),
    [(404, 1, 0), (409, 1, 0), (200, 1, 10), (500, 0, 10)],
    ids=["not found", "conflict", "html", "failure"],
)
@in_virtual_time
async def test_refreshes_are_deferred_after_an_outcome_without_a_value(
    status: int, background: float, foreground: float
) -> None:
    wire = HeldWire()
    asked = await wire.ask("POST")
    await wire.answer(status, body=HTML)
    await asyncio.gather(asked, return_exceptions=True)
    for after in (0.0, 0.9, 1.1, 9.9, 10.1):
        await asyncio.sleep(after - asyncio.get_running_loop().time())
        assert reasons(wire) == [
            UNAVAILABLE if after < seconds else None for seconds in (background, foreground)
        ]


@pytest.mark.parametrize("status", [200, 500])
@in_virtual_time
async def test_a_value_ends_that(status: int) -> None:
    wire = HeldWire()
    asked = await wire.ask("POST")
    await wire.answer(status, body=HTML)
    await asyncio.gather(asked, return_exceptions=True)
    await wire.learn(100)
    assert reasons(wire) == [None, None]


@pytest.mark.parametrize(("status", "foreground"), [(422, None), (200, None), (500, UNAVAILABLE)])
@in_virtual_time
async def test_answer_about_ids_defers_nothing(status: int, foreground: ErrorCode | None) -> None:
    wire = HeldWire()
    asked = asyncio.ensure_future(
        wire.upstream.fetch_page(SEGMENTS, 1, 1, ["bad"], retry_unreadable=False)
    )
    await settle()
    for _ in range(3 if status == 500 else 1):
        await wire.answer(status, body=HTML)
    await asyncio.gather(asked, return_exceptions=True)
    assert reasons(wire, SEGMENTS.lookup_operation) == [None, foreground]


@in_virtual_time
async def test_answers_about_ids_defer_refreshes_once_several_in_a_row_had_no_value() -> None:
    wire = HeldWire()

    async def ask_by_id(body: bytes) -> list[ErrorCode | None]:
        asked = asyncio.ensure_future(
            wire.upstream.fetch_page(SEGMENTS, 1, 1, [ID], retry_unreadable=False)
        )
        await settle()
        await wire.answer(body=body)
        await asyncio.gather(asked, return_exceptions=True)
        return reasons(wire, SEGMENTS.lookup_operation)

    for _ in range(BAD_IDS_IN_A_ROW - 1):
        assert await ask_by_id(HTML) == [None, None]
    assert await ask_by_id(HTML) == [UNAVAILABLE, UNAVAILABLE]
    assert await ask_by_id(EMPTY) == [None, None]
    assert await ask_by_id(HTML) == [None, None]


@pytest.mark.parametrize(
    ("left", "quota", "background", "foreground"),
    [
        (16, 150, None, None),
        (15, 150, ErrorCode.RATE_LIMITED, None),
        (1, 150, ErrorCode.RATE_LIMITED, None),
        (0, 150, ErrorCode.RATE_LIMITED, ErrorCode.RATE_LIMITED),
        (6, 10, None, None),
        (5, 10, ErrorCode.RATE_LIMITED, None),
    ],
)
@in_virtual_time
async def test_reserve_of_the_quota_is_for_the_foreground(
    left: int, quota: int, background: ErrorCode | None, foreground: ErrorCode | None
) -> None:
    wire = HeldWire()
    assert (reasons(wire), wire.upstream.quota_state) == ([None, None], "not known")
    await wire.learn(left, quota)
    assert reasons(wire) == [background, foreground]
    assert wire.upstream.quota_state == f"{left} of {quota} requests left"


@in_virtual_time
async def test_all_refreshes_are_deferred_while_the_platform_is_overloaded() -> None:
    wire = HeldWire()
    await wire.ask()
    await wire.answer(429, headers={"Retry-After": "5"})
    assert reasons(wire) == [ErrorCode.RATE_LIMITED] * 2


@pytest.mark.parametrize("status", [401, 403])
@in_virtual_time
async def test_refused_token_is_sent_again_after_a_pause_that_grows(status: int) -> None:
    wire = HeldWire()
    asked = await wire.ask()
    await wire.answer(status)
    with pytest.raises(UpstreamForbidden) as sent:
        await asked
    assert (sent.value.was_sent, wire.upstream.state) == (True, "refuses the token")
    pauses = []
    for refusals in range(1, 7):
        paused_at = asyncio.get_running_loop().time()
        while True:
            asked = await wire.ask()
            if wire.requests > refusals:
                break
            with pytest.raises(UpstreamForbidden) as refused:
                await asked
            assert not refused.value.was_sent
            await asyncio.sleep(0.5)
        pauses.append(asyncio.get_running_loop().time() - paused_at)
        with pytest.raises(UpstreamForbidden):
            await (await wire.ask())  # one probe at a time
        await wire.answer(status)
        with pytest.raises(UpstreamForbidden):
            await asked
    assert pauses == [5, 10, 20, 40, 60, 60]
    await asyncio.sleep(60)
    asked = await wire.ask()
    await wire.answer()
    assert (await asked, wire.upstream.state) == (0, "answers")


@in_virtual_time
async def test_refused_token_is_known_until_it_is_accepted() -> None:
    wire = HeldWire()
    await refuse_token(wire)
    assert reasons(wire) == [ErrorCode.UPSTREAM_FORBIDDEN] * 2
    await asyncio.sleep(5)
    asked = await wire.ask()
    await wire.answer(429, left=0, resets_in=1)  # which may come before the token is checked
    assert wire.upstream.is_forbidden(LIST.operation)
    assert wire.upstream.state == "refuses the token"
    await asyncio.sleep(1.5)
    assert (asked.done(), wire.requests) == (False, 3)
    await wire.answer()
    assert (await asked, wire.upstream.is_forbidden(LIST.operation)) == (0, False)


@in_virtual_time
async def test_operation_that_is_refused_leaves_others_alone() -> None:
    wire = HeldWire()
    await refuse_token(wire)
    other = await ask_for(wire, OTHER)
    await wire.answer()
    assert await other == 200
    assert reasons(wire, OTHER.operation) == [None, None]
    assert not wire.upstream.is_forbidden(OTHER.operation)
    assert wire.upstream.state == "list_segments refuses the token"


@in_virtual_time
async def test_operation_that_fails_leaves_others_alone() -> None:
    wire = HeldWire()
    await fail(wire, FAILURES_IN_A_ROW)
    other = await ask_for(wire, OTHER)
    await wire.answer()
    assert await other == 200
    assert reasons(wire) == [UNAVAILABLE] * 2


@in_virtual_time
async def test_circuit_opens_after_failures_in_a_row_and_lets_one_probe_through() -> None:
    wire = HeldWire()
    await fail(wire, FAILURES_IN_A_ROW - 1)
    asked = await wire.ask()
    await wire.answer(500)
    with pytest.raises(UpstreamUnavailable, match="status 500"):
        await asked  # which is not retried
    assert wire.upstream.state == "fails, and is only probed"
    with pytest.raises(CircuitOpen, match="failed again and again"):
        await (await wire.ask())
    assert (wire.requests, reasons(wire)) == (FAILURES_IN_A_ROW, [UNAVAILABLE] * 2)
    await asyncio.sleep(1)
    probe = await wire.ask()
    with pytest.raises(CircuitOpen):
        await (await wire.ask())
    await wire.answer()
    assert (await probe, wire.upstream.state) == (0, "answers")


@in_virtual_time
async def test_open_circuit_fails_at_once_though_the_quota_is_used_up() -> None:
    wire = HeldWire()
    await fail(wire, FAILURES_IN_A_ROW - 1)
    asked = await wire.ask("POST")
    await wire.answer(500, left=0)
    await asyncio.gather(asked, return_exceptions=True)
    with pytest.raises(CircuitOpen):
        await (await wire.ask())
    assert asyncio.get_running_loop().time() == 0


@in_virtual_time
async def test_request_that_waits_for_a_slot_when_the_circuit_opens_is_not_sent() -> None:
    wire = HeldWire()
    sent = [await wire.ask("POST") for _ in range(MAXIMUM_IN_FLIGHT)]
    waiting = [await wire.ask() for _ in range(30)]
    for _ in range(FAILURES_IN_A_ROW):
        await wire.answer(500)
    # Those whose turn came before the last of the failures were sent.
    errors = await asyncio.gather(*waiting[FAILURES_IN_A_ROW - 1 :], return_exceptions=True)
    assert {type(error) for error in errors} == {CircuitOpen}
    assert wire.requests == MAXIMUM_IN_FLIGHT + FAILURES_IN_A_ROW - 1
    for _ in range(len(wire.waiting)):
        await wire.answer()
    assert (wire.limiter.quota.in_flight, wire.upstream.state) == (0, "answers")
    await asyncio.gather(*sent, *waiting, return_exceptions=True)


@in_virtual_time
async def test_error_of_the_reader_is_neither_retried_nor_a_failure() -> None:
    def read(_: Answer) -> int:
        raise ZeroDivisionError

    wire = HeldWire()
    asked = asyncio.ensure_future(wire.upstream.ask(LIST, read))
    await settle()
    await wire.answer()
    with pytest.raises(ZeroDivisionError):
        await asked
    assert (wire.requests, wire.upstream.state) == (1, "not asked yet")
    assert wire.limiter.quota.in_flight == 0


@in_virtual_time
async def test_page_with_more_rows_than_ids_cannot_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wire = HeldWire()
    asked = asyncio.ensure_future(
        wire.upstream.fetch_page(SEGMENTS, 1, 1, [ID], retry_unreadable=False)
    )
    await settle()
    await wire.answer(body=EMPTY.replace(b'"total":0', b'"total":2'))
    with pytest.raises(UpstreamUnreadable, match="more segments than it was asked for"):
        await asked
    assert caplog.messages == [
        "list_segments_by_id, page 1: The store's API sent more segments than it was asked for. "
        "(status 200, 60 bytes)"
    ]


@in_virtual_time
async def test_rows_without_ids_are_a_warning_once_for_each_operation(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", "gateway.bigcommerce.operations")
    wire = HeldWire()
    for ids in ((), (), (ID,)):
        asked = asyncio.ensure_future(wire.upstream.fetch_page(SEGMENTS, 1, 50, ids))
        await settle()
        await wire.answer(
            body=b'{"data":[{"id":"?"}],"meta":{"pagination":{"total":1,"per_page":50}}}'
        )
        assert (await asked).rows == [None]
    logged = [line for line in caplog.record_tuples if line[0] == "gateway.bigcommerce.operations"]
    text = "page 1: 1 of 1 segments have no id of their own, and are left out"
    assert [(level, line) for _, level, line in logged] == [
        (logging.WARNING, f"list_segments, {text}"),
        (logging.DEBUG, f"list_segments, {text}"),
        (logging.WARNING, f"list_segments_by_id, {text}"),
    ]
