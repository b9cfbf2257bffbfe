import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import strawberry
from bare_endpoint import bare_endpoint
from documents_in_memory import always
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from gateway.lifecycle import Lifecycle, Stage
from gateway.web import Readiness, Web
from gateway.web.request_id import RequestIds
from gateway.web.unexpected_errors import UnexpectedErrors

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
KNOWN_PATHS = "Known paths: /, /graphql, /health/live, /health/ready."

ReadinessCheck = Callable[[], Awaitable[Readiness]]


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"


SCHEMA = strawberry.Schema(Query)


@asynccontextmanager
async def no_lifespan(_: Starlette) -> AsyncIterator[None]:
    yield


async def all_is_ready() -> Readiness:
    return Readiness(True, {"upstream": "emulator"})


async def nothing_is_ready() -> Readiness:
    return Readiness(False, {"upstream": "unreachable"})


async def failing_check() -> Readiness:
    raise OSError("redis://:secret@cache")


def at(stage: Stage) -> Lifecycle:
    lifecycle = Lifecycle()
    lifecycle.advance(stage)
    return lifecycle


def gateway(
    *,
    stage: Stage = Stage.RUNNING,
    readiness: ReadinessCheck = all_is_ready,
    graphiql: bool = True,
    allowed_hosts: tuple[str, ...] = ("localhost",),
) -> httpx.AsyncClient:
    web = Web(
        bare_endpoint(always(SCHEMA), max_body_bytes=1000, graphiql=graphiql),
        lifecycle=at(stage),
        readiness=readiness,
        lifespan=no_lifespan,
        graphiql=graphiql,
        allowed_hosts=allowed_hosts,
        cors_origins=[],
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://localhost")


@pytest.mark.parametrize("path", ["/", "/graphql?query={hello}", "/graphql", "/health/live", "/no"])
async def test_every_answer_has_a_request_id_and_common_headers(path: str) -> None:
    async with gateway() as http:
        answer = await http.get(path)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("request_id", ["a", "trace-1.2_3", "x" * 128])
async def test_valid_request_id_is_used(request_id: str) -> None:
    async with gateway() as http:
        answer = await http.get("/", headers={"X-Request-Id": request_id})
    assert answer.headers.get_list("X-Request-Id") == [request_id]


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a b", "a\tb", "<script>", "é"])
async def test_invalid_request_id_is_replaced(request_id: str) -> None:
    async with gateway() as http:
        answer = await http.get("/", headers={b"X-Request-Id": request_id.encode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


async def test_live_is_200_where_nothing_is_ready() -> None:
    async with gateway(readiness=nothing_is_ready) as http:
        answer = await http.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


@pytest.mark.parametrize(
    ("readiness", "status", "body"),
    [
        (all_is_ready, 200, {"status": "ready", "parts": {"upstream": "emulator"}}),
        (nothing_is_ready, 503, {"status": "not ready", "parts": {"upstream": "unreachable"}}),
        (failing_check, 503, {"status": "not ready", "parts": {}}),
    ],
)
async def test_ready_has_the_state_of_each_part(
    readiness: ReadinessCheck, status: int, body: object
) -> None:
    async with gateway(readiness=readiness) as http:
        answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("stage", "status"),
    [
        (Stage.STARTING, "starting"),
        (Stage.DRAINING, "draining"),
        (Stage.CLOSING, "draining"),
        (Stage.STOPPING, "draining"),
    ],
)
async def test_ready_is_503_while_the_process_starts_or_ends(stage: Stage, status: str) -> None:
    async with gateway(stage=stage) as http:
        answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": status, "parts": {"upstream": "emulator"}},
    )


async def test_index_is_a_page_of_links_for_a_browser() -> None:
    async with gateway() as http:
        answer = await http.get("/", headers={"Accept": BROWSER})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Vary"] == "Accept"
    assert re.findall('href="([^"]*)"', answer.text) == ["graphql", "health/live", "health/ready"]


async def test_index_is_json_for_a_program() -> None:
    async with gateway() as http:
        answer = await http.get("/")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert list(answer.json()["paths"]) == ["/graphql", "/health/live", "/health/ready"]
    assert answer.json()["documentation"] == (
        "The documentation is in the source repository: README.md first, then docs/."
    )


@pytest.mark.parametrize(
    "path", ["/nothing", "/graphql//", "/health", "/docs", "/%00", "//graphql"]
)
async def test_unknown_path_is_answered_with_the_known_ones(path: str) -> None:
    async with gateway() as http:
        answer = await http.get(httpx.URL("http://localhost", raw_path=path.encode()))
    assert answer.status_code == 404
    assert answer.json() == {
        "errors": [
            {
                "message": f"There is nothing at this path. {KNOWN_PATHS}",
                "extensions": {"code": "BAD_REQUEST"},
            }
        ]
    }


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready"])
async def test_other_methods_are_answered_with_allow(path: str) -> None:
    async with gateway() as http:
        answer = await http.post(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    (error,) = answer.json()["errors"]
    assert error["message"] == f"POST is not possible here. {KNOWN_PATHS}"


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready", "/graphql?query={hello}"])
async def test_head_is_a_get_without_its_body(path: str) -> None:
    async with gateway() as http:
        got, headed = await http.get(path), await http.head(path)
    assert headed.status_code == got.status_code == 200
    for name in ("Content-Type", "Content-Length", "Vary", "Cache-Control"):
        assert headed.headers[name] == got.headers[name]


async def test_browser_gets_graphiql_where_it_is_offered() -> None:
    async with gateway() as http:
        answer = await http.get("/graphql", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


async def test_browser_gets_data_where_it_sends_a_query() -> None:
    async with gateway() as http:
        answer = await http.get("/graphql?query={hello}", headers={"Accept": BROWSER})
    assert answer.json() == {"data": {"hello": "world"}}


async def test_browser_gets_a_page_about_post_where_graphiql_is_off() -> None:
    async with gateway(graphiql=False) as http:
        page = await http.get("/graphql", headers={"Accept": BROWSER})
        program = await http.get("/graphql")
        asset = await http.get("/graphql/assets/index.js")
    assert (page.status_code, page.headers["Vary"]) == (200, "Accept")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<h1>GraphiQL is switched off</h1>" in page.text
    assert "send a POST" in page.text
    assert (program.status_code, asset.status_code) == (400, 404)


@pytest.mark.parametrize("accept", [BROWSER, "application/json"])
async def test_index_names_graphiql_only_where_it_is_offered(accept: str) -> None:
    async with gateway() as offered, gateway(graphiql=False) as off:
        assert "GraphiQL" in (await offered.get("/", headers={"Accept": accept})).text
        assert "GraphiQL" not in (await off.get("/", headers={"Accept": accept})).text


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/graphql/", "../graphql"),
        ("/graphql/?query={hello}&x=a%26b", "../graphql?query=%7Bhello%7D&x=a%26b"),
        ("/graphql/?x=%0d%0aSet-Cookie:a", "../graphql?x=%0d%0aSet-Cookie:a"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "PROPFIND"])
async def test_graphql_with_a_slash_redirects_every_method(
    method: str, asked: str, location: str
) -> None:
    async with gateway(allowed_hosts=("*",)) as http:
        answer = await http.request(method, asked, headers={"Host": "elsewhere?x["})
    assert (answer.status_code, answer.content) == (308, b"")
    assert answer.headers["Location"] == location


async def test_redirect_keeps_the_body_of_a_post() -> None:
    async with gateway() as http:
        answer = await http.post("/graphql/", json={"query": "{hello}"}, follow_redirects=True)
    assert answer.json() == {"data": {"hello": "world"}}


async def crash(scope: Scope, receive: Receive, send: Send) -> None:
    raise KeyError("secret-token")


async def crash_midway(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise KeyError("secret-token")


async def test_crash_outside_of_graphql_is_masked_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    transport = httpx.ASGITransport(RequestIds(UnexpectedErrors(crash)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get("/", headers={"X-Request-Id": "r-1"})
    message = "Something went wrong in the gateway. Report it with request id r-1."
    code = {"code": "INTERNAL_SERVER_ERROR"}
    assert answer.status_code == 500
    assert answer.json() == {"errors": [{"message": message, "extensions": code}]}
    assert answer.headers["X-Request-Id"] == "r-1"
    (record,) = caplog.records
    assert record.getMessage() == "request r-1 failed outside GraphQL"
    assert record.exc_info is not None


async def test_crash_after_the_response_has_begun_is_left_to_the_server() -> None:
    transport = httpx.ASGITransport(RequestIds(UnexpectedErrors(crash_midway)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        with pytest.raises(KeyError):
            await http.get("/")


async def wait_for_ever(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


async def wait_midway(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.Event().wait()


@pytest.mark.parametrize(("app", "status"), [(wait_for_ever, 503), (wait_midway, 200)])
async def test_cancelled_request_is_answered_once_and_logged_in_one_line(
    app: Callable[[Scope, Receive, Send], Awaitable[None]],
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing is asked of the client")

    scope = {"type": "http", "headers": [(b"x-request-id", b"r-1")]}
    request = asyncio.ensure_future(RequestIds(UnexpectedErrors(app))(scope, receive, send))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert [message["status"] for message in sent if "status" in message] == [status]
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert record.getMessage() == "request r-1 was cut off: the gateway stopped before its answer"
