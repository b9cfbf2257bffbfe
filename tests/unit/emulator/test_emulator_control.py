"""The control routes: what each one answers and changes."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from gateway.emulator import Constant, Fault, Uniform, create_emulator, seeded_store

SEGMENTS = "/stores/emulator/v3/segments"
TOKEN = {"X-Auth-Token": "emulator-token"}
MANNERS = {
    "latency": {"kind": "constant", "seconds": 0.0},
    "max_limit": 250,
    "over_limit": "clamp",
    "past_the_end": "empty",
    "quota": 3,
    "window_ms": 30_000,
    "segments": 2,
}


@pytest.fixture
def app() -> Starlette:
    return create_emulator(seeded_store(2), rate_limit_quota=3, control=True, clock=lambda: 0.0)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the emulator; without the token that its store wants."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        yield client


async def ask_store(client: httpx.AsyncClient, query: str = "") -> httpx.Response:
    return await client.get(SEGMENTS + query, headers=TOKEN)


async def test_list_of_routes_names_each_with_a_sentence(client: httpx.AsyncClient) -> None:
    answer = await client.get("/_emulator")
    routes = answer.json()["routes"]
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert [*routes] == [
        "GET /_emulator",
        "GET /_emulator/requests",
        "DELETE /_emulator/requests",
        "GET /_emulator/faults",
        "PUT /_emulator/faults",
        "DELETE /_emulator/faults",
        "GET /_emulator/manners",
        "PATCH /_emulator/manners",
        "POST /_emulator/segments",
        "DELETE /_emulator/segments/{id}",
    ]
    assert all(re.fullmatch(r"[A-Z][^.]+\.", sentence) for sentence in routes.values())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_emulator/"),
        ("POST", "/_emulator"),
        ("GET", "/_emulator/boom"),
        ("DELETE", "/_emulator/manners"),
        ("GET", "/_emulator/segments"),
        ("GET", "/_emulator/faults/"),
    ],
)
async def test_what_there_is_not_is_told_and_not_counted(
    client: httpx.AsyncClient, app: Starlette, method: str, path: str
) -> None:
    answer = await client.request(method, path)
    sentence = f"There is no {method} {path}: GET /_emulator lists what is."
    assert (answer.status_code, answer.json()) == (404, {"error": sentence})
    assert app.state.emulator.requests == {}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/requests"), ("PUT", "/faults"), ("PATCH", "/manners")],
)
async def test_without_control_its_paths_are_an_unknown_route(method: str, path: str) -> None:
    app = create_emulator(seeded_store(1))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        answer = await client.request(method, f"/_emulator{path}", json={})
    assert answer.status_code == 404
    assert answer.json()["title"] == "The route is not found, check the URL"
    assert app.state.emulator.requests == {"unknown": 1}


async def test_requests_are_counted_by_operation_status_and_window(
    client: httpx.AsyncClient, app: Starlette
) -> None:
    await client.get("/boom")
    await client.get(SEGMENTS)
    app.state.emulator.faults.add(Fault.RESET)
    with pytest.raises(ConnectionResetError):
        await ask_store(client)
    for _ in range(3):
        await ask_store(client)
    expected = {
        "total": 6,
        "operations": {"unknown": 1, "list_segments": 5},
        "statuses": {"404": 1, "401": 1, "none": 1, "200": 2, "429": 1},
        "windows": [{"requests": 4, "refused": 1}],
    }
    assert (await client.get("/_emulator/requests")).json() == expected


async def test_counts_are_set_back_and_the_quota_is_not(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await ask_store(client)
    forgotten = await client.delete("/_emulator/requests")
    nothing = {"total": 0, "operations": {}, "statuses": {}, "windows": []}
    assert (forgotten.status_code, forgotten.content) == (204, b"")
    assert (await client.get("/_emulator/requests")).json() == nothing
    assert (await ask_store(client)).status_code == 429


async def test_control_costs_no_quota_meets_no_fault_and_waits_for_no_latency() -> None:
    async def sleep(seconds: float) -> None:
        raise AssertionError(f"it waits for {seconds} s")

    app = create_emulator(
        seeded_store(1), rate_limit_quota=0, control=True, latency_seconds=1, sleep=sleep
    )
    app.state.emulator.faults.add(Fault.SERVER_ERROR, times=None)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        answers = [await client.get("/_emulator/requests") for _ in range(3)]
    assert [answer.json()["total"] for answer in answers] == [0, 0, 0]


async def test_rules_are_replaced_and_shown_as_far_as_they_are_left(
    client: httpx.AsyncClient, app: Starlette
) -> None:
    app.state.emulator.faults.add(Fault.HTML)
    rules = [
        {"fault": "status", "status": 503, "times": 2},
        {"fault": "drip", "seconds": 0.5, "probability": 0.0},
    ]
    put = await client.put("/_emulator/faults", json={"rules": rules})
    assert (put.status_code, put.json()) == (200, {"rules": rules})
    assert (await ask_store(client)).status_code == 503
    left = [{"fault": "status", "status": 503, "times": 1}, rules[1]]
    assert (await client.get("/_emulator/faults")).json() == {"rules": left}
    assert [(await ask_store(client)).status_code for _ in range(2)] == [503, 200]


async def test_rules_are_forgotten(client: httpx.AsyncClient, app: Starlette) -> None:
    app.state.emulator.faults.add(Fault.HTML, times=None)
    answer = await client.delete("/_emulator/faults")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await client.get("/_emulator/faults")).json() == {"rules": []}
    assert "data" in (await ask_store(client)).json()


async def test_seed_makes_chance_the_same_each_time(
    client: httpx.AsyncClient, app: Starlette
) -> None:
    rules = [{"fault": "html", "probability": 0.5}]
    met = []
    for seed in (7, 7, 8):
        await client.put("/_emulator/faults", json={"rules": rules, "seed": seed})
        met.append([app.state.emulator.faults.take() for _ in range(50)])
    assert met[0] == met[1] != met[2]


async def test_manners_are_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/_emulator/manners")).json() == MANNERS


async def test_manners_that_are_sent_change_and_the_others_stay(
    client: httpx.AsyncClient, app: Starlette
) -> None:
    app.state.emulator.store.delete([app.state.emulator.store.segments[0].id])
    latency = {"kind": "uniform", "low": 0.0, "high": 0.0}
    change = {"latency": latency, "max_limit": 5, "segments": 7}
    answer = await client.patch("/_emulator/manners", json=change)
    assert (answer.status_code, answer.json()) == (200, {**MANNERS, **change})
    assert app.state.emulator.latency_seconds == Uniform(0, 0)
    body = (await ask_store(client)).json()
    assert len(body["data"]) == 5
    assert app.state.emulator.store.segments == seeded_store(7).segments
    change = {"over_limit": "refuse", "past_the_end": "refuse", "quota": 4, "window_ms": 5_000}
    await client.patch("/_emulator/manners", json=change)
    queries = ("?limit=6", "?page=3", "", "")
    answers = [await ask_store(client, query) for query in queries]
    assert [answer.status_code for answer in answers] == [422, 422, 200, 429]
    assert answers[3].headers["X-Rate-Limit-Time-Window-Ms"] == "5000"


async def test_empty_change_changes_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.patch("/_emulator/manners", json={})).json() == MANNERS


async def test_segment_is_added_at_the_end_and_removed(client: httpx.AsyncClient) -> None:
    added = await client.post("/_emulator/segments", json={"name": "New", "description": "Text"})
    row = added.json()
    assert (added.status_code, row["name"], row["description"]) == (201, "New", "Text")
    assert UUID(row["id"]).version == 4
    made = datetime.fromisoformat(row["created_at"])
    assert timedelta() <= datetime.now(UTC) - made < timedelta(minutes=1)
    assert row["created_at"] == row["updated_at"]
    assert (await ask_store(client)).json()["data"][2] == row
    removed = await client.delete(f"/_emulator/segments/{row['id'].upper()}")
    assert (removed.status_code, removed.content) == (204, b"")
    assert (await ask_store(client)).json()["meta"]["pagination"]["total"] == 2


async def test_segment_needs_no_description(client: httpx.AsyncClient) -> None:
    added = await client.post("/_emulator/segments", json={"name": "New"})
    assert added.json()["description"] is None


async def test_number_of_seconds_is_told_as_a_constant_latency(
    client: httpx.AsyncClient, app: Starlette
) -> None:
    for latency in (0.25, Constant(0.25)):
        app.state.emulator.latency_seconds = latency
        told = (await client.get("/_emulator/manners")).json()["latency"]
        assert told == {"kind": "constant", "seconds": 0.25}
