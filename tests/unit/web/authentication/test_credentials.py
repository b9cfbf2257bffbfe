"""Requests with each form of credentials, through the whole gateway."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from clock import Clock
from in_process import in_process
from issuer import AUDIENCE, ISSUER, Issuer
from starlette.requests import Request
from virtual_time import in_virtual_time

from gateway.api_keys import create_api_key
from gateway.identity import ALL_SCOPES, AccessScope, Client
from gateway.web.authentication import Authentication, KeyFile, Peers
from gateway.web.authentication.credentials import ADVICE
from gateway.web.authentication.signing_keys import SigningKeys
from gateway.web.authentication.tokens import Tokens
from gateway.web.request_error import RequestError

READ = frozenset({AccessScope.SEGMENTS_READ})
QUERY = {"query": "{ segments { totalCount } }"}
ONLY = Client("peer:127.0.0.1", READ)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> Issuer:
    return Issuer(clock)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def key(key_file: Path) -> str:
    return create_api_key(key_file, "web", [AccessScope.SEGMENTS_READ])


def tokens_of(issuer: Issuer, clock: Callable[[], float]) -> Tokens:
    signing_keys = SigningKeys(issuer.fetch, ["RS256"], clock)
    return Tokens(signing_keys, issuer=ISSUER, audience=AUDIENCE, algorithms=["RS256"], now=clock)


def request(*credentials: str) -> Request:
    headers = [(b"authorization", text.encode("latin-1")) for text in credentials]
    return Request({"type": "http", "headers": headers, "client": ("127.0.0.1", 4711)})


async def refusal(authentication: Authentication, *credentials: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        await authentication(request(*credentials))
    return caught.value


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
async def test_a_key_and_a_token_are_taken_beside_each_other(
    scheme: str, key: str, key_file: Path, issuer: Issuer, clock: Clock
) -> None:
    authentication = Authentication(
        clock,
        peers=Peers(),
        anonymous=None,
        keys=KeyFile(key_file, clock),
        tokens=tokens_of(issuer, clock),
    )
    assert await authentication(request(f"{scheme} {key}")) == Client("key:web", READ)
    assert (await authentication(request(f"{scheme} {issuer.token()}"))).name == "token:alice"
    for wrong in ("gwk_wrong", "", "a.b.c"):
        error = await refusal(authentication, f"{scheme} {wrong}")
        assert (error.status, error.code) == (401, "UNAUTHENTICATED")


async def test_without_credentials_the_challenge_has_no_error(key: str, key_file: Path) -> None:
    clock = Clock()
    keys = KeyFile(key_file, clock)
    authentication = Authentication(clock, peers=Peers(), anonymous=None, keys=keys)
    error = await refusal(authentication)
    assert error.message == f"The request has no credentials. {ADVICE}"
    assert error.headers == {"WWW-Authenticate": 'Bearer realm="graphql"'}


@pytest.mark.parametrize(
    ("credentials", "sentence"),
    [
        ("Bearer gwk_wrong", "The API key is not known."),
        ("Bearer wrong", "The credentials are no API key."),
        ("Bearer", "The credentials are no API key."),
        ("", "The scheme of `Authorization` is not Bearer."),
        ("Basic d2ViOmtleQ==", "The scheme of `Authorization` is not Bearer."),
        ("gwk_wrong", "The scheme of `Authorization` is not Bearer."),
    ],
)
@pytest.mark.parametrize("anonymous", [None, READ])
@in_virtual_time
async def test_wrong_credentials_are_refused_even_where_none_are_needed(
    credentials: str, sentence: str, anonymous: frozenset[AccessScope] | None, tmp_path: Path
) -> None:
    clock = Clock()
    create_api_key(tmp_path / "keys.json", "web", [])
    keys = KeyFile(tmp_path / "keys.json", clock)
    authentication = Authentication(clock, peers=Peers(), anonymous=anonymous, keys=keys)
    error = await refusal(authentication, credentials)
    assert (error.status, error.message) == (401, f"{sentence} {ADVICE}")
    challenge = 'Bearer realm="graphql", error="invalid_token"'
    assert error.headers == {"WWW-Authenticate": challenge}


async def test_several_credentials_are_refused(key: str, key_file: Path) -> None:
    clock = Clock()
    keys = KeyFile(key_file, clock)
    authentication = Authentication(clock, peers=Peers(), anonymous=READ, keys=keys)
    for other in (key, "gwk_wrong"):
        error = await refusal(authentication, f"Bearer {key}", f"Bearer {other}")
        assert (error.status, error.code) == (400, "BAD_REQUEST")


async def test_without_keys_and_tokens_credentials_are_not_looked_at() -> None:
    authentication = Authentication(Clock(), peers=Peers(), anonymous=READ)
    for credentials in ([], ["Bearer wrong"], ["Basic x", "Bearer y"]):
        assert await authentication(request(*credentials)) == ONLY


async def test_a_token_that_cannot_be_checked_now_is_not_called_wrong(
    issuer: Issuer, clock: Clock
) -> None:
    issuer.fails = True
    tokens = tokens_of(issuer, clock)
    authentication = Authentication(clock, peers=Peers(), anonymous=None, tokens=tokens)
    error = await refusal(authentication, f"Bearer {issuer.token()}")
    assert (error.status, error.code) == (503, "UPSTREAM_UNAVAILABLE")
    assert error.headers == {"Retry-After": "10"}


async def test_a_failure_is_logged_without_the_credentials(
    key: str, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    keys = KeyFile(key_file, clock)
    authentication = Authentication(clock, peers=Peers(), anonymous=None, keys=keys)
    await refusal(authentication, "Bearer gwk_wrong")
    assert caplog.messages == [
        "requests without valid credentials: 1, the last from 127.0.0.1 "
        "(1 x The API key is not known.)"
    ]


async def ask(http: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await http.post("/graphql", json=QUERY, headers=headers)


async def test_a_refused_request_costs_nothing_and_says_what_to_send(
    key: str, key_file: Path
) -> None:
    gateway = in_process(API_KEYS_FILE=str(key_file))
    async with gateway.http as http, gateway.services.running():
        refused = await ask(http)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="graphql"'
        assert refused.headers["Cache-Control"] == "no-store"
        assert refused.json() == {
            "errors": [
                {
                    "message": f"The request has no credentials. {ADVICE}",
                    "extensions": {"code": "UNAUTHENTICATED"},
                }
            ]
        }
        assert gateway.upstream_requests == 0
        taken = await ask(http, Authorization=f"Bearer {key}")
        assert taken.json()["data"] == {"segments": {"totalCount": 1000}}


async def test_credentials_are_checked_before_method_and_body(key: str, key_file: Path) -> None:
    gateway = in_process(API_KEYS_FILE=str(key_file))
    async with gateway.http as http:
        answers = [
            await http.put("/graphql", content=b"x"),
            await http.post("/graphql", content=b"{" * 2_000_000),
            await http.get("/graphql", params=QUERY),
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]


async def test_health_and_the_page_need_no_credentials(key: str, key_file: Path) -> None:
    gateway = in_process(API_KEYS_FILE=str(key_file))
    async with gateway.http as http, gateway.services.running():
        for path in ("/", "/health/live", "/health/ready"):
            assert (await http.get(path)).status_code != 401
        page = await http.get("/graphql", headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("settings", "scopes"),
    [
        ({}, ALL_SCOPES),
        ({"ALLOW_ANONYMOUS": "read"}, {"segments:read", "profiles:read", "federation"}),
        (
            {"ALLOW_ANONYMOUS": "write"},
            ALL_SCOPES - {AccessScope.METRICS},
        ),
    ],
)
async def test_clients_without_credentials_may_do_what_the_settings_say(
    settings: dict[str, Any], scopes: set[AccessScope], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Client] = []
    call = Authentication.__call__

    async def keep(self: Authentication, request: Request) -> Client:
        seen.append(await call(self, request))
        return seen[-1]

    monkeypatch.setattr(Authentication, "__call__", keep)
    gateway = in_process(**settings, TRUSTED_PROXIES="127.0.0.0/8,::1")
    async with gateway.http as http, gateway.services.running():
        await ask(http)
        await ask(http, **{"X-Forwarded-For": "192.0.2.7"})
    assert seen == [
        Client(f"peer:{name}", frozenset(scopes)) for name in ("127.0.0.1", "192.0.2.7")
    ]
