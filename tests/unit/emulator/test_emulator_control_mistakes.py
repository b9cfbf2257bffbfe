"""The control routes refuse what makes no sense, with a sentence, and change nothing."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from gateway.emulator import Fault, Rule, create_emulator, seeded_store


@pytest.fixture
def app() -> Starlette:
    return create_emulator(seeded_store(2), rate_limit_quota=3, control=True)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        yield client


async def test_segment_that_is_not_there_cannot_be_removed(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/_emulator/segments/boom")
    sentence = "The store has no segment with this id."
    assert (answer.status_code, answer.json()) == (404, {"error": sentence})


async def test_second_segment_of_a_name_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/_emulator/segments", json={"name": "VIP customers"})
    sentence = "The store has a segment named 'VIP customers': send another name."
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})


async def test_full_store_takes_no_segment(client: httpx.AsyncClient) -> None:
    await client.patch("/_emulator/manners", json={"segments": 1000})
    answer = await client.post("/_emulator/segments", json={"name": "New"})
    sentence = "The store has 1000 segments already: delete one first."
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})


@pytest.mark.parametrize(
    ("method", "path", "body", "mistake"),
    [
        ("PUT", "faults", "", "Input data was truncated"),
        ("PUT", "faults", "{}", "Object missing required field `rules`"),
        ("PUT", "faults", '{"rules": [], "x": 1}', "Object contains unknown field `x`"),
        (
            "PUT",
            "faults",
            '{"rules": [{"fault": "html"}, {"fault": "boom"}]}',
            "Invalid enum value 'boom' - at `$.rules[1].fault`",
        ),
        (
            "PUT",
            "faults",
            '{"rules": [{"fault": "status"}]}',
            "`status` goes with the fault status, and with no other - at `$.rules[0]`",
        ),
        (
            "PUT",
            "faults",
            '{"rules": [{"fault": "html", "probability": 1.5}]}',
            "Expected `float` <= 1.0 - at `$.rules[0].probability`",
        ),
        (
            "PATCH",
            "manners",
            '{"segments": 7, "quota": -1}',
            "Expected `int` >= 0 - at `$.quota`",
        ),
        (
            "PATCH",
            "manners",
            '{"segments": 7, "window_ms": 0}',
            "Expected `int` >= 1 - at `$.window_ms`",
        ),
        (
            "PATCH",
            "manners",
            '{"segments": 7, "window_ms": 86400001}',
            "Expected `int` <= 86400000 - at `$.window_ms`",
        ),
        (
            "PATCH",
            "manners",
            '{"segments": 7, "latency": {"kind": "uniform", "low": 2, "high": 1}}',
            "`low` must not be above `high` - at `$.latency`",
        ),
        (
            "PATCH",
            "manners",
            '{"segments": 7, "latency": {"kind": "gamma"}}',
            "Invalid value 'gamma' - at `$.latency.kind`",
        ),
        ("POST", "segments", '{"name": ""}', "Expected `str` of length >= 1 - at `$.name`"),
        ("POST", "segments", '{"name": "x", "id": "y"}', "Object contains unknown field `id`"),
    ],
)
async def test_mistake_is_told_with_what_to_send_and_changes_nothing(
    client: httpx.AsyncClient, app: Starlette, method: str, path: str, body: str, mistake: str
) -> None:
    emulator = app.state.emulator
    emulator.faults.add(Fault.HTML)
    answer = await client.request(method, f"/_emulator/{path}", content=body)
    said, _, advice = answer.json()["error"].partition(": send ")
    assert (answer.status_code, said) == (422, mistake)
    assert advice.startswith({"faults": '{"rules": ', "manners": "one or", "segments": "{"}[path])
    assert emulator.faults.rules == [Rule(Fault.HTML, times=1)]
    assert emulator.store.segments == seeded_store(2).segments
    assert (emulator.window.quota, emulator.window.window_ms) == (3, 30_000)
    assert emulator.latency_seconds == 0.0
