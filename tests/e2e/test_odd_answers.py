"""A store that answers oddly, refuses, or hangs, over real HTTP between three parties."""

import asyncio
import gzip
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
from processes import TOKEN, gateway_over, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.emulator import create_emulator, seeded_store

PAGE = "{ segments(first: 50) { totalCount nodes { entityId name createdAt } } }"
ROWS = [
    {"id": row.id, "name": row.name, "description": None, "created_at": row.created_at}
    for row in seeded_store(30).segments
]
IDS = [row["id"] for row in ROWS]


def body_of(rows: list[Any], **pagination: object) -> bytes:
    known = {"total": len(rows), "count": len(rows), "per_page": 250, "current_page": 1}
    return json.dumps({"data": rows, "meta": {"pagination": {**known, **pagination}}}).encode()


def with_row(**odd: object) -> bytes:
    """The store's answer, in which one row of 30 is odd."""
    return body_of([*ROWS[:9], {**ROWS[9], **odd}, *ROWS[10:]])


class OddStore:
    """Answers `GET /segments` as `answer` says; counts what it got by kind of request."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self.got: Counter[str] = Counter()
        self.app = Starlette(routes=[Route("/{path:path}", self._respond)])

    async def _respond(self, request: Request) -> Response:
        self.got["by id" if "id:in" in request.query_params else "list"] += 1
        return self.answer(request)


def as_asked(body: bytes) -> Callable[[Request], Response]:
    """Answers with all rows, or with those that are asked for by id."""

    def answer(request: Request) -> Response:
        wanted = request.query_params.get("id:in")
        if wanted is None:
            return Response(body, media_type="application/json")
        # Cut out of the text, so that what is odd stays as it is.
        text = body.decode()
        rows = text[text.index("[") + 1 : text.rindex("], ")].split("}, ")
        found = [row.rstrip("}") + "}" for row in rows if any(i in row for i in wanted.split(","))]
        meta = f'{{"pagination": {{"total": {len(found)}, "per_page": "250"}}}}'
        return Response(f'{{"data": [{", ".join(found)}], "meta": {meta}}}'.encode())

    return answer


@contextmanager
def over(store: OddStore, **settings: str) -> Iterator[str]:
    with serving(store.app) as upstream, gateway_over(upstream, **settings) as url:
        yield url


@asynccontextmanager
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as http:
        yield http


async def ask(http: httpx.AsyncClient, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await http.post("/graphql", json={"query": query})).json()
    return answer


HALF_AN_EMOJI = with_row(name="Gift \ud83c")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (HALF_AN_EMOJI, {"name": "Gift \ufffd"}),
        (with_row(name=5), {"name": None}),
        (with_row(description=[]), {}),
        (with_row(created_at=1_699_626_150), {"createdAt": None}),
        (with_row(created_at="2016-12-31T23:59:60Z"), {"createdAt": "2016-12-31T23:59:59.000Z"}),
        (
            with_row(created_at="2023-11-10T14:22:30.123Z"),
            {"createdAt": "2023-11-10T14:22:30.123Z"},
        ),
        (with_row(id=None), None),
        (with_row(id=7), None),
        (with_row(id=IDS[0]), None),
        (body_of(ROWS, per_page="250"), {}),
        (body_of(ROWS, per_page=250.0, total=30.0), {}),
        (b"\xef\xbb\xbf" + body_of(ROWS), {}),
    ],
    ids=range(12),
)
async def test_odd_answer_costs_no_more_than_what_is_odd(
    body: bytes, shown: dict[str, object] | None
) -> None:
    store = OddStore(lambda _: Response(body, media_type="application/json"))
    with over(store, CACHE_TTL_SECONDS="0") as url:
        async with client(url) as http:
            answers = [await ask(http, PAGE) for _ in range(10)]
            ready = await http.get("/health/ready")
    for answer in answers:
        assert "errors" not in answer
        nodes = answer["data"]["segments"]["nodes"]
        assert answer["data"]["segments"]["totalCount"] == 30
        if shown is None:
            assert [node["entityId"] for node in nodes] == [*IDS[:9], *IDS[10:]]
        else:
            assert [node["entityId"] for node in nodes] == IDS
            assert nodes[9].items() >= shown.items()
    assert (ready.status_code, store.got["list"]) == (200, 10)


async def test_odd_row_costs_others_of_its_batch_nothing() -> None:
    store = OddStore(as_asked(HALF_AN_EMOJI))
    with over(store) as url:
        async with client(url) as http:
            answers = await asyncio.gather(
                *(
                    ask(http, f'{{ segment(entityId: "{i}") {{ entityId name }} }}')
                    for i in IDS[:20]
                )
            )
    assert [answer["data"]["segment"]["entityId"] for answer in answers] == IDS[:20]
    assert answers[9]["data"]["segment"]["name"] == "Gift \ufffd"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_batch_that_cannot_be_read_is_halved(encoding: str) -> None:
    """The body ends amid the row of one id, whenever that is among those that are asked for."""

    def answer(request: Request) -> Response:
        wanted = request.query_params.get("id:in", "").split(",")
        whole = bytes(as_asked(body_of(ROWS))(request).body)
        sent = gzip.compress(whole) if encoding == "gzip" else whole
        bad = IDS[3] in wanted
        return Response(sent[:-40] if bad else sent, headers={"Content-Encoding": encoding})

    store = OddStore(answer)
    ids = json.dumps(IDS[:20])
    with over(store) as url:
        async with client(url) as http:
            found = await ask(http, f"{{ segmentsByEntityId(entityIds: {ids}) {{ entityId }} }}")
            ready = await http.get("/health/ready")
    rows = found["data"]["segmentsByEntityId"]
    assert [row and row["entityId"] for row in rows] == [None] * 5 + IDS[5:20]
    assert {error["extensions"]["code"] for error in found["errors"]} == {"UPSTREAM_UNAVAILABLE"}
    # All, two halves, and the quarters of the half that holds it.
    assert (store.got["by id"], ready.status_code) == (5, 200)


@pytest.mark.parametrize("many", [1, 2, 3, 5, 20, 100])
async def test_batch_of_which_nothing_can_be_read_costs_seven_requests_at_most(many: int) -> None:
    store = OddStore(lambda _: Response("<html>", media_type="text/html"))
    ids = json.dumps([f"00000000-0000-4000-8000-{n:012}" for n in range(many)])
    with over(store) as url:
        async with client(url) as http:
            answer = await ask(http, f"{{ segmentsByEntityId(entityIds: {ids}) {{ name }} }}")
    codes = [error["extensions"]["code"] for error in answer["errors"]]
    assert codes == ["UPSTREAM_UNAVAILABLE"] * many
    assert store.got["by id"] == (3 if many < 3 else 5 if many == 3 else 7)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"<html>", "identity"),
        (b"whatever", "br"),
        (b"whatever", "gzip"),
        (b"x" * (8 * 1024 * 1024 + 1), "identity"),
    ],
    ids=["html", "brotli", "damaged gzip", "too large"],
)
async def test_success_that_cannot_be_used_opens_no_breaker(body: bytes, encoding: str) -> None:
    """A process that has nothing to show is not ready all the same, until it can read the list."""
    store = OddStore(lambda _: Response(body, headers={"Content-Encoding": encoding}))
    with over(store) as url:
        async with client(url) as http:
            for _ in range(10):
                answer = await ask(http, PAGE)
                message = "The store's API sent a list that cannot be read."
                assert answer["errors"][0]["message"] == message
            assert store.got["list"] >= 10
            odd = await http.get("/health/ready")
            store.answer = as_asked(body_of(ROWS))
            well = await http.get("/health/ready")
    assert (odd.status_code, odd.json()["parts"]["upstream"]) == (503, "sends what cannot be read")
    assert well.status_code == 200


@pytest.mark.parametrize("status", [404, 409])
async def test_refusals_of_the_list_leave_stale_data_at_one_request_a_second(status: int) -> None:
    store = OddStore(as_asked(body_of(ROWS)))
    settings = {"CACHE_TTL_SECONDS": "0.05", "CACHE_STALE_WHILE_REVALIDATE_SECONDS": "0.05"}
    with over(store, **settings) as url:
        async with client(url) as http:
            page = await ask(http, PAGE)
            store.answer = lambda _: Response(status_code=status)
            store.got.clear()
            await asyncio.sleep(0.2)
            began = time.monotonic()
            for _ in range(100):
                answer = await ask(http, PAGE)
                assert answer["data"] == page["data"]
            took = time.monotonic() - began
            ready = await http.get("/health/ready")
    assert store.got["list"] <= 3 + 2 * took
    assert (ready.status_code, ready.json()["parts"]["upstream"]) == (200, "refuses requests")


@pytest.mark.parametrize("encoding", ["identity", "br", "gzip"])
async def test_no_content_is_an_empty_list(encoding: str) -> None:
    store = OddStore(lambda _: Response(status_code=204, headers={"Content-Encoding": encoding}))
    with over(store) as url:
        async with client(url) as http:
            page = await ask(http, PAGE)
    assert page["data"] == {"segments": {"totalCount": 0, "nodes": []}}


async def test_refused_operation_is_asked_again_after_a_pause_and_leaves_the_list_alone() -> None:
    def answer(request: Request) -> Response:
        if "id:in" in request.query_params:
            return Response(status_code=403)
        return Response(body_of(ROWS), media_type="application/json")

    store = OddStore(answer)
    began_at = time.monotonic()
    with over(store, CACHE_TTL_SECONDS="0") as url:
        async with client(url) as http:
            for at in range(0, 500, 20):
                ids = [f"00000000-0000-4000-8000-{n:012}" for n in range(at, at + 20)]
                answers = await asyncio.gather(
                    *(ask(http, f'{{ segment(entityId: "{i}") {{ name }} }}') for i in ids)
                )
                codes = {answer["errors"][0]["extensions"]["code"] for answer in answers}
                assert codes == {"UPSTREAM_FORBIDDEN"}
            page = await ask(http, PAGE)
            ready = (await http.get("/health/ready")).json()
    assert [node["entityId"] for node in page["data"]["segments"]["nodes"]] == IDS
    assert ready["status"] == "ready"
    assert ready["parts"]["upstream"] == "list_segments_by_id refuses the token"
    # The shortest pause has five seconds.
    assert store.got["by id"] <= 2 + (time.monotonic() - began_at) // 5


@pytest.mark.parametrize(
    "query", [PAGE, f'{{ segment(entityId: "{IDS[0]}") {{ entityId name createdAt }} }}']
)
async def test_store_that_hangs_keeps_readers_of_stale_data_waiting_for_the_patience(
    query: str,
) -> None:
    emulator = create_emulator(seeded_store(30), token=TOKEN, rate_limit_quota=1_000_000)
    settings = {
        "CACHE_TTL_SECONDS": "0.05",
        "CACHE_STALE_WHILE_REVALIDATE_SECONDS": "0",
        "STALE_PATIENCE_SECONDS": "0.3",
    }
    with serving(emulator) as upstream, gateway_over(upstream, **settings) as url:
        async with client(url) as http:
            first = await ask(http, query)
            emulator.state.emulator.latency_seconds = 5.0
            await asyncio.sleep(0.1)
            began = time.monotonic()
            answers = await asyncio.gather(*(ask(http, query) for _ in range(20)))
            took = time.monotonic() - began
    assert 0.3 <= took < 4
    for answer in answers:
        assert answer["data"] == first["data"]
        cache = answer["extensions"]["cache"]
        assert (cache["stale"], cache["error"]) == (True, "UPSTREAM_TIMEOUT")
    # One fill, which goes on.
    assert emulator.state.emulator.requests.total() == 2


async def test_bad_id_costs_a_request_a_second_and_keeps_no_other_id_stale() -> None:
    def answer(request: Request) -> Response:
        if IDS[3] in request.query_params.get("id:in", "").split(","):
            return Response(status_code=422)
        return as_asked(body_of(ROWS))(request)

    store = OddStore(as_asked(body_of(ROWS)))
    bad, good = (f'{{ segment(entityId: "{IDS[at]}") {{ entityId }} }}' for at in (3, 5))
    with over(store, CACHE_TTL_SECONDS="0.5", LOOKUP_WINDOW_MILLISECONDS="0") as url:
        async with client(url) as http:
            await ask(http, bad)
            await ask(http, good)
            store.answer = answer
            store.got.clear()
            await asyncio.sleep(0.6)
            began = time.monotonic()
            for _ in range(50):
                assert (await ask(http, bad))["data"] == {"segment": {"entityId": IDS[3]}}
            took = time.monotonic() - began
            assert store.got["by id"] <= 2 + took
            for _ in range(100):  # stale at first, and read anew behind it
                if not (await ask(http, good))["extensions"]["cache"]["stale"]:
                    break
            else:
                raise AssertionError("the good id stays stale")
