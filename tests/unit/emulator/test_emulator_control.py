"""The control routes: what each one answers, changes and refuses."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from gateway.emulator import Fault, Rule, create_emulator, seeded_store

SEGMENTS = "/stores/emulator/v3/segments"
TOKEN = {"X-Auth-Token": "emulator-token"}


@pytest.fixture
def app() -> Starlette:
    return create_emulator(seeded_store(2, 9), rate_limit_quota=3, control=True, clock=lambda: 0.0)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the emulator; without the token that its store wants."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        yield client


async def ask_store(client: httpx.AsyncClient, query: str = "") -> httpx.Response:
    return await client.get(SEGMENTS + query, headers=TOKEN)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/_emulator/", 404),
        ("GET", "/_emulator/boom", 404),
        ("DELETE", "/_emulator/behaviour", 405),
        ("GET", "/_emulator/segments", 405),
    ],
)
async def test_unknown_control_route_is_no_request_to_the_store(
    client: httpx.AsyncClient, app: Starlette, method: str, path: str, status: int
) -> None:
    assert (await client.request(method, path)).status_code == status
    assert app.state.emulator.requests == {}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/requests"), ("PUT", "/faults"), ("PATCH", "/behaviour")]
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
        "unbounded_deletes": 0,
        "windows": [{"requests": 4, "refused": 1}],
    }
    assert (await client.get("/_emulator/requests")).json() == expected


async def test_counts_are_reset_and_the_quota_is_not(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await ask_store(client)
    answer = await client.delete("/_emulator/requests")
    nothing = {
        "total": 0,
        "operations": {},
        "statuses": {},
        "unbounded_deletes": 0,
        "windows": [],
    }
    assert (answer.status_code, answer.content) == (204, b"")
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


async def test_rules_are_replaced(client: httpx.AsyncClient, app: Starlette) -> None:
    app.state.emulator.faults.add(Fault.HTML)
    rules = [
        {"fault": "status", "status": 503, "times": 2},
        {"fault": "drip", "seconds": 0.5, "probability": 0.0},
        {"fault": None, "times": 1},
        {"fault": "lost-answer", "operation": "create_segments"},
    ]
    answer = await client.put("/_emulator/faults", json={"rules": rules})
    assert (answer.status_code, answer.content) == (204, b"")
    assert app.state.emulator.faults.rules == [
        Rule(Fault.STATUS, status=503, times=2),
        Rule(Fault.DRIP, seconds=0.5, probability=0),
        Rule(None, times=1),
        Rule(Fault.LOST_ANSWER, operation="create_segments"),
    ]
    assert [(await ask_store(client)).status_code for _ in range(3)] == [503, 503, 200]


async def test_behaviour_changes_as_sent_and_the_rest_stays(
    client: httpx.AsyncClient, app: Starlette
) -> None:
    emulator = app.state.emulator
    emulator.store.delete([emulator.store.segments[0].id])
    first = {"latency_seconds": [0.0, 0.0], "max_limit": 5, "segments": 7}
    answer = await client.patch("/_emulator/behaviour", json=first)
    assert (answer.status_code, answer.content) == (204, b"")
    assert emulator.latency_seconds == (0, 0)
    assert emulator.store == seeded_store(7, 9)
    assert len((await ask_store(client)).json()["data"]) == 5
    second = {"over_limit": "refuse", "past_the_end": "refuse", "quota": 4, "window_ms": 5_000}
    await client.patch("/_emulator/behaviour", json={**second, "latency_seconds": 0.0})
    assert (emulator.latency_seconds, emulator.max_limit) == (0, 5)
    answers = [await ask_store(client, query) for query in ("?limit=6", "?page=3", "", "")]
    assert [answer.status_code for answer in answers] == [422, 422, 200, 429]
    assert answers[3].headers["X-Rate-Limit-Time-Window-Ms"] == "5000"


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
    again = await client.delete(f"/_emulator/segments/{row['id']}")
    sentence = "The store has no segment with this id."
    assert (again.status_code, again.json()) == (404, {"error": sentence})


async def test_answers_to_writes_change(client: httpx.AsyncClient, app: Starlette) -> None:
    emulator = app.state.emulator
    change = {
        "token_scope": "store_v2_customers_read_only",
        "dialect": "2025",
        "profile_segment_rows": "ids",
        "max_batch": 7,
        "forbidden_operations": ["create_segments", "list_customers"],
    }
    assert (await client.patch("/_emulator/behaviour", json=change)).status_code == 204
    assert (emulator.dialect, emulator.profile_segment_rows, emulator.max_batch) == (
        "2025",
        "ids",
        7,
    )
    assert emulator.forbidden_operations == {"create_segments", "list_customers"}
    assert emulator.token_scope == "store_v2_customers_read_only"
    none: dict[str, object] = {"max_batch": None, "forbidden_operations": [], "token_scope": None}
    assert (await client.patch("/_emulator/behaviour", json=none)).status_code == 204
    assert (emulator.max_batch, emulator.forbidden_operations) == (None, frozenset())
    assert emulator.token_scope is None


async def test_new_segments_share_the_profiles_that_there_are(
    client: httpx.AsyncClient, app: Starlette
) -> None:
    store = app.state.emulator.store
    store.delete_profiles(store.profiles[:3])
    await client.patch("/_emulator/behaviour", json={"segments": 3})
    members = [store.members.of_segment(row.id) for row in store.segments]
    assert [[row.customer_id for row in rows] for rows in members] == [
        [4, 5, 6, 7, 8, 9],
        [5, 7, 9],
        [6, 9],
    ]


async def test_another_app_adds_and_removes_members(
    client: httpx.AsyncClient, app: Starlette
) -> None:
    store = app.state.emulator.store
    segment, profiles = store.segments[1].id, store.profiles
    path = f"/_emulator/segments/{segment.upper()}/shopper-profiles"
    ids = {"ids": [profiles[place].id.upper() for place in (0, 1, 2)]}
    answer = await client.post(path, json=ids)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [row.customer_id for row in store.members.of_segment(segment)] == [2, 4, 6, 8, 1, 3]
    answer = await client.request(
        "DELETE", path, json={**ids, "ids": [profiles[4].id, *ids["ids"]]}
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert [row.customer_id for row in store.members.of_segment(segment)] == [4, 6, 8]


async def test_members_that_the_store_does_not_have_are_refused(
    client: httpx.AsyncClient, app: Starlette
) -> None:
    store = app.state.emulator.store
    for method in ("POST", "DELETE"):
        path = f"/_emulator/segments/{store.segments[1].id}/shopper-profiles"
        answer = await client.request(method, path, json={"ids": [store.profiles[0].id, "x"]})
        assert answer.status_code == 422
        assert answer.json() == {"error": "The store has no shopper profile 'x'."}
        answer = await client.request(
            method, "/_emulator/segments/x/shopper-profiles", json={"ids": []}
        )
        sentence = "The store has no segment with this id."
        assert (answer.status_code, answer.json()) == (404, {"error": sentence})
    assert store == seeded_store(2, 9)


@pytest.mark.parametrize(
    ("segments", "name", "sentence"),
    [
        (2, "VIP customers", "The store has a segment named 'VIP customers': choose another."),
        (1000, "New", "The store has 1000 segments already: delete one first."),
    ],
)
async def test_segment_that_the_store_cannot_take_is_refused(
    client: httpx.AsyncClient, segments: int, name: str, sentence: str
) -> None:
    await client.patch("/_emulator/behaviour", json={"segments": segments})
    answer = await client.post("/_emulator/segments", json={"name": name})
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
            "PATCH",
            "behaviour",
            '{"segments": 7, "max_batch": 0}',
            "Expected `int` >= 1 - at `$.max_batch`",
        ),
        (
            "PATCH",
            "behaviour",
            '{"segments": 7, "forbidden_operations": ["boom"]}',
            "Invalid enum value 'boom' - at `$.forbidden_operations[0]`",
        ),
        (
            "PATCH",
            "behaviour",
            '{"segments": 7, "quota": -1}',
            "Expected `int` >= 0 - at `$.quota`",
        ),
        (
            "PATCH",
            "behaviour",
            '{"segments": 7, "window_ms": 86400001}',
            "Expected `int` <= 86400000 - at `$.window_ms`",
        ),
        (
            "PATCH",
            "behaviour",
            '{"segments": 7, "latency_seconds": 601}',
            "Expected `float` <= 600.0 - at `$.latency_seconds`",
        ),
        ("POST", "segments", '{"name": ""}', "Expected `str` of length >= 1 - at `$.name`"),
        ("POST", "segments", '{"name": "x", "id": "y"}', "Object contains unknown field `id`"),
    ],
)
async def test_invalid_body_gets_a_sentence_and_changes_nothing(
    client: httpx.AsyncClient, app: Starlette, method: str, path: str, body: str, mistake: str
) -> None:
    emulator = app.state.emulator
    emulator.faults.add(Fault.HTML)
    answer = await client.request(method, f"/_emulator/{path}", content=body)
    error = f"{mistake}. See docs/emulator.md."
    assert (answer.status_code, answer.json()) == (422, {"error": error})
    assert emulator.faults.rules == [Rule(Fault.HTML, times=1)]
    assert emulator.store == seeded_store(2, 9)
    assert (emulator.window.quota, emulator.window.window_ms) == (3, 30_000)
    assert emulator.latency_seconds == 0.0
