"""The limits of the client: time, bytes, encodings, and where it sends the token."""

import asyncio
import gzip

import httpx
import pytest
from processes import emulator_on_a_port
from starlette.types import Receive, Scope, Send

from gateway.app import check, create_services
from gateway.bigcommerce.body import MAXIMUM_ANSWER_BYTES
from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.listings import SEGMENTS
from gateway.bigcommerce.values import decode_json
from gateway.errors import UpstreamTimeout
from gateway.settings import load_settings


class Upstream:
    """Answers with `body` once the gate is open."""

    def __init__(
        self, body: bytes = b"{}", encoding: bytes = b"identity", status: int = 200
    ) -> None:
        self.body = body
        self.status = status
        self.headers = [(b"content-encoding", encoding)]
        self.gate = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate.wait()
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def client_of(upstream: Upstream) -> BigCommerceClient:
    http = httpx.AsyncClient(transport=httpx.ASGITransport(upstream), base_url="http://localhost")
    return BigCommerceClient(http)


async def test_answer_that_takes_too_long_is_a_timeout() -> None:
    with pytest.raises(UpstreamTimeout, match="in time"):
        await client_of(Upstream()).send(SEGMENTS.page(1, 50), 0.01)


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
async def test_answer_is_bounded_in_bytes(extra: int, fits: bool) -> None:
    upstream = Upstream(b"x" * (MAXIMUM_ANSWER_BYTES + extra))
    upstream.gate.set()
    answer = await client_of(upstream).send(SEGMENTS.page(1, 50), 60)
    assert answer.body == (upstream.body if fits else None)


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
async def test_compressed_answer_is_unpacked_no_further_than_its_bound(
    extra: int, fits: bool
) -> None:
    bomb = gzip.compress(b"x" * (MAXIMUM_ANSWER_BYTES + extra))
    assert len(bomb) < 10_000
    upstream = Upstream(bomb, b"gzip")
    upstream.gate.set()
    answer = await client_of(upstream).send(SEGMENTS.page(1, 50), 60)
    assert answer.body == (b"x" * MAXIMUM_ANSWER_BYTES if fits else None)


@pytest.mark.parametrize("encoding", [b"br", b"deflate", b"gzip, gzip"])
async def test_answer_in_another_encoding_has_no_body(
    encoding: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = Upstream(b"whatever", encoding)
    upstream.headers.append((b"x-rate-limit-requests-left", b"7"))
    upstream.gate.set()
    client = client_of(upstream)
    answer = await client.send(SEGMENTS.page(1, 50), 60)
    assert (answer.status, answer.body) == (200, None)
    assert client.rate_limit is not None
    assert client.rate_limit.remaining == 7
    assert caplog.messages == ["list_segments: the upstream's answer cannot be decompressed"]


@pytest.mark.parametrize("status", [401, 403, 404, 413, 429, 500, 503])
@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"<html>", b"br"), (b"<html>", b"gzip"), (b"x" * (MAXIMUM_ANSWER_BYTES + 1), b"identity")],
    ids=["unknown coding", "no gzip", "too large"],
)
async def test_failed_answer_keeps_its_status_whatever_its_body_is(
    status: int, body: bytes, encoding: bytes
) -> None:
    upstream = Upstream(body, encoding, status)
    upstream.gate.set()
    answer = await client_of(upstream).send(SEGMENTS.page(1, 50), 60)
    assert (answer.status, answer.body) == (status, None)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Encoding: gzip\r\n", gzip.compress(b'{"a"') + gzip.compress(b": 1}")),
        (b"Content-Encoding: x-gzip\r\n", gzip.compress(b'{"a": 1}')),
        (b"Content-Encoding: gzip\r\nContent-Encoding: identity\r\n", gzip.compress(b'{"a": 1}')),
        (b"Content-Encoding:\r\n", b'{"a": 1}'),
        (b"Content-Encoding: utf-8\r\n", b"\xef\xbb\xbf" + b'{"a": 1}'),
    ],
    ids=["two members", "x-gzip", "two fields", "an empty field", "an unknown coding"],
)
async def test_encodings_of_real_answers_are_read(headers: bytes, body: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (headers, len(body)) + body
        )
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
            got = await BigCommerceClient(http).send(SEGMENTS.page(1, 50), 20)
    assert decode_json(got.body or b"") == {"a": 1}


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
async def test_proxies_of_the_environment_never_get_the_token(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulator_on_a_port(3) as (url, emulator):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # a port without a listener
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
        settings = load_settings(
            {
                "GATEWAY_STORE_HASH": emulator.store_hash,
                "GATEWAY_ACCESS_TOKEN": emulator.token,
                "GATEWAY_UPSTREAM_URL": url,
            }
        )
        report = await check(settings)
    assert report.problems == [], report.as_text()


async def test_client_takes_nothing_from_the_environment_and_follows_no_redirect() -> None:
    async with create_services(load_settings({})).http as http:
        assert http.trust_env is False
        assert http.follow_redirects is False
