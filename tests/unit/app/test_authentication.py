"""What the settings make of the authentication, with keys fetched from a real port."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from issuer import AUDIENCE, ISSUER, RSA_KEY, Issuer, public_jwk
from processes import serving
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.app import create_app
from gateway.app.authentication import create_authentication
from gateway.settings import Settings, SettingsError, load_settings
from gateway.web.request_error import RequestError

JWKS = json.dumps({"keys": [public_jwk(RSA_KEY, kid="one")]}).encode()


def settings_of(**variables: str) -> Settings:
    return load_settings({f"GATEWAY_{name}": value for name, value in variables.items()})


def with_keys_at(url: str) -> Settings:
    return settings_of(JWT_JWKS_URL=url, JWT_ISSUER=ISSUER, JWT_AUDIENCE=AUDIENCE)


@contextmanager
def keys_on_a_port(answer: Response, asked: list[Request] | None = None) -> Iterator[str]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if asked is not None:
            asked.append(Request(scope))
        await answer(scope, receive, send)

    with serving(app) as url:
        yield f"{url}/keys.json"


def name_of_a_token(settings: Settings) -> str:
    """The client that a token of the issuer names."""
    headers = [(b"authorization", f"Bearer {Issuer(time.time).token()}".encode())]
    request = Request({"type": "http", "headers": headers, "client": ("127.0.0.1", 1)})
    return asyncio.run(_name(settings, request))


async def _name(settings: Settings, request: Request) -> str:
    client = await create_authentication(settings, time.time)(request)
    return client.name


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_keys_are_fetched_over_http(encoding: str) -> None:
    body = gzip.compress(JWKS) if encoding else JWKS
    headers = {"Content-Encoding": encoding} if encoding else {}
    asked: list[Request] = []
    with keys_on_a_port(Response(body, headers=headers), asked) as url:
        assert name_of_a_token(with_keys_at(url)) == "token:alice"
    (request,) = asked
    assert request.headers["accept"] == "application/json"
    assert not {"authorization", "x-auth-token", "cookie"} & {*request.headers}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response(status_code=500), "the answer has the status 500"),
        (Response(status_code=302, headers={"Location": "/"}), "the answer has the status 302"),
        (Response(b"[" * (8 * 1024**2 + 1)), "the answer is larger than 8388608 bytes"),
        (Response(b"x", headers={"Content-Encoding": "br"}), "the answer cannot be decompressed"),
        (Response(b"x"), "the answer is no JSON Web Key Set"),
    ],
)
def test_an_answer_that_is_no_key_set_is_logged_and_refuses_with_503(
    answer: Response, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with keys_on_a_port(answer) as url, pytest.raises(RequestError) as caught:
        name_of_a_token(with_keys_at(url))
    assert caught.value.status == 503
    assert reason in caplog.text


def test_an_issuer_that_does_not_listen_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RequestError):
        name_of_a_token(with_keys_at(f"http://127.0.0.1:{port}/"))
    assert "connection refused" in caplog.text


def test_an_issuer_that_does_not_answer_is_not_waited_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.app.authentication.FETCH_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(RequestError):
        name_of_a_token(with_keys_at(f"http://127.0.0.1:{listener.getsockname()[1]}/"))
    assert "no answer within 0.05 seconds" in caplog.text


def test_an_application_for_a_real_store_needs_to_know_its_clients() -> None:
    store = {"STORE_HASH": "abc123", "ACCESS_TOKEN": "t0k3n"}
    with pytest.raises(SettingsError, match=r"^A real store is set, and nothing says who may ask"):
        create_app(settings_of(**store))
    create_app(settings_of(**store, ALLOW_ANONYMOUS="read"))
