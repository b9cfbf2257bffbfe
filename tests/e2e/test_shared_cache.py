"""A gateway behind Varnish, by the very configuration of examples/cdn/ but for the port."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from processes import serving
from running import PATIENCE_SECONDS
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.command import Command, free_port
from gateway.app import create_app
from gateway.settings import Settings

CONFIGURATION = Path(__file__).parents[2] / "examples" / "cdn" / "varnish.vcl"
VARNISHD = shutil.which("varnishd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
PAGE = "{ segments(first: 3) { nodes { entityId name } } }"
COUNT = "{ segmentsCount }"
MEMBERS = "{ shopperProfiles(first: 1) { nodes { entityId } } }"
LATER = "{ segments(first: 1) { totalCount } }"
TTL_SECONDS = 5
GRAPHQL = {"Accept": "application/graphql-response+json"}

pytestmark = pytest.mark.skipif(
    VARNISHD is None, reason="the cache is not installed: on Debian, apt-get install varnish"
)


class Recorded:
    """A gateway that may be away, and what it was asked but for its health."""

    def __init__(self, app: ASGIApp) -> None:
        self.requests: list[str] = []
        self.is_away = False
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if not scope["path"].startswith("/health/"):
                self.requests.append(f"{scope['method']} {scope['path']}")
            if self.is_away:
                return await Response(status_code=503)(scope, receive, send)
        return await self._app(scope, receive, send)


class Shared:
    """A client of the cache, and the gateway behind it."""

    def __init__(self, http: httpx.Client, gateway: Recorded) -> None:
        self.http = http
        self.gateway = gateway

    def get(self, document: str = PAGE, **headers: str) -> httpx.Response:
        """The answer to a GET by hash."""
        return self.http.get(path_of(document), headers={**GRAPHQL, **headers})

    def post(self, document: str) -> httpx.Response:
        """The answer to a POST, which stores the document."""
        hashed = {"version": 1, "sha256Hash": sha256(document.encode()).hexdigest()}
        body = {"query": document, "extensions": {"persistedQuery": hashed}}
        return self.http.post("/graphql", json=body, headers=GRAPHQL)

    def purge(self, tag: str) -> int:
        """The status of the answer to a purge."""
        return self.http.request("PURGE", "/", headers={"Cache-Tag": tag}).status_code

    def asked(self, *documents: str, **headers: str) -> int:
        """How many requests reach the gateway for these documents, each by GET."""
        before = len(self.gateway.requests)
        for document in documents:
            assert self.get(document, **headers).status_code == 200
        return len(self.gateway.requests) - before


def path_of(document: str) -> str:
    return f"/graphql/sha256:{sha256(document.encode()).hexdigest()}"


@contextmanager
def varnish_before(port: str, folder: Path) -> Iterator[str]:
    """Yields the URL of the cache in front of the gateway on this port."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    assert text.count('.port = "8000"') == 1
    (folder / "cache.vcl").write_text(text.replace('"8000"', f'"{port}"'), encoding="utf-8")
    assert VARNISHD is not None
    address = f"127.0.0.1:{free_port()}"
    own = ["-j", "none", "-T", "none", "-n", str(folder / "work")]  # no other user, nothing shared
    options = ["-F", "-a", address, "-f", str(folder / "cache.vcl"), "-s", "malloc,16m"]
    cache = Command(VARNISHD, *own, *options)
    cache.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                httpx.get(f"http://{address}/")
                yield f"http://{address}"
                return
        raise AssertionError("the cache does not answer")
    finally:
        cache.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    settings = Settings(shared_caches=True, cache_ttl_seconds=TTL_SECONDS)
    gateway = Recorded(create_app(settings))
    with (
        serving(gateway) as url,
        varnish_before(url.rpartition(":")[2], tmp_path_factory.mktemp("cache")) as cache,
        httpx.Client(base_url=cache) as http,
    ):
        found = Shared(http, gateway)
        for document in (PAGE, COUNT, MEMBERS, LATER):
            assert "errors" not in found.post(document).json()
        yield found


@pytest.fixture(autouse=True)
def nothing_stored(shared: Shared) -> None:
    assert shared.purge("segments") == 204


def test_the_gateway_is_asked_once_for_many_requests(shared: Shared) -> None:
    assert shared.asked(*[PAGE] * 100) == 1
    hit = shared.get()
    assert len(hit.json()["data"]["segments"]["nodes"]) == 3
    assert re.fullmatch(r"varnish; hit; ttl=[0-4]", hit.headers["cache-status"])
    assert 0 <= int(hit.headers["age"]) < TTL_SECONDS
    assert not {"cache-tag", "x-request-id"} & set(hit.headers)


def test_each_media_type_is_stored_apart_and_in_one_text(shared: Shared) -> None:
    assert shared.asked(PAGE, PAGE) == 1
    assert shared.asked(PAGE, PAGE, Accept="application/json") == 1
    for accept in ("application/json, text/plain;q=0.5", "*/*"):
        assert shared.asked(PAGE, Accept=accept) == 0
        assert shared.get(Accept=accept).headers["content-type"].startswith("application/json")
    both = "application/json;q=0.9, application/graphql-response+json"
    assert shared.asked(PAGE, Accept=both) == 0


def test_no_answer_to_an_authorization_is_stored(shared: Shared) -> None:
    credentials = {"Authorization": "Bearer any"}
    assert shared.asked(PAGE, PAGE, **credentials) == 2
    assert shared.get(**credentials).headers["cache-control"].startswith("private, ")
    # Neither is given to others, nor is theirs given to it.
    assert shared.asked(PAGE, PAGE) == 1
    assert shared.asked(PAGE, **credentials) == 1


def test_answers_with_personal_data_are_not_stored(shared: Shared) -> None:
    assert shared.asked(MEMBERS, MEMBERS) == 2


def test_an_unknown_hash_is_asked_for_until_it_is_known(shared: Shared) -> None:
    document = "{ segments(first: 4) { nodes { name } } }"
    before = len(shared.gateway.requests)
    assert {shared.get(document).status_code for _ in range(2)} == {404}
    assert len(shared.gateway.requests) - before == 2
    shared.post(document)
    assert shared.asked(document, document) == 1


def test_a_cookie_of_the_page_changes_nothing(shared: Shared) -> None:
    assert shared.asked(PAGE, PAGE, Cookie="session=1") == 1


def test_the_cache_itself_answers_that_nothing_was_modified(shared: Shared) -> None:
    etag = shared.get().headers["etag"]
    before = len(shared.gateway.requests)
    again = shared.get(**{"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert len(shared.gateway.requests) == before


def test_after_a_mutation_and_a_purge_the_new_name_is_read(shared: Shared) -> None:
    def first() -> dict[str, str]:
        found: dict[str, str] = shared.get().json()["data"]["segments"]["nodes"][0]
        return found

    vip = first()
    for name, tag in (("Renamed", vip["entityId"]), (vip["name"], "segments")):
        before = first()["name"]
        change = f'{{segments: [{{entityId: "{vip["entityId"]}", name: "{name}"}}]}}'
        done = shared.post(
            f"mutation {{ updateSegments(input: {change}) {{ userErrors {{ code }} }} }}"
        )
        assert done.json()["data"] == {"updateSegments": {"userErrors": []}}
        assert first()["name"] == before
        assert shared.purge(tag) == 204
        assert first()["name"] == name


def test_a_purge_is_of_one_tag(shared: Shared) -> None:
    assert shared.asked(PAGE, COUNT) == 2
    entity_id = shared.get().json()["data"]["segments"]["nodes"][0]["entityId"]
    assert shared.purge(entity_id) == 204
    assert shared.asked(PAGE, COUNT) == 1
    assert [shared.purge(tag) for tag in ("", ".*", "segments && req.url ~ .")] == [400] * 3


def test_clients_reach_graphql_alone(shared: Shared) -> None:
    before = len(shared.gateway.requests)
    paths = ["/", "/metrics", "/status", "/health/ready", "/graphqlx", "//metrics"]
    assert [shared.http.get(path).status_code for path in paths] == [404] * len(paths)
    assert len(shared.gateway.requests) == before


def test_an_old_answer_is_given_while_the_gateway_is_away(shared: Shared) -> None:
    fresh = shared.get(LATER)
    shared.gateway.is_away = True
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            old = shared.get(LATER)
            # Until it is stale, and the probe has failed: no later request waits for the gateway.
            assert (old.status_code, old.json()) == (200, fresh.json())
            ttl = int(old.headers["cache-status"].rpartition("ttl=")[2])
            if ttl < -2:
                break
            assert time.monotonic() < deadline
        assert shared.get(COUNT).status_code == 503
    finally:
        shared.gateway.is_away = False
