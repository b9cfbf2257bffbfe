"""What the client holds itself to, against an upstream on a real port."""

import asyncio

import httpx
import pytest
from processes import emulator_on_a_port
from starlette.types import Receive, Scope, Send

from gateway.app import check, create_parts
from gateway.bigcommerce.client import MAXIMUM_ANSWER_BYTES, MAXIMUM_IN_FLIGHT, BigCommerceClient
from gateway.bigcommerce.protocol import list_segments
from gateway.errors import UpstreamTimeout, UpstreamUnavailable
from gateway.settings import load_settings


class Upstream:
    """Answers with `body` once the gate is open; `most` is how many waited at once."""

    def __init__(self, body: bytes = b"{}") -> None:
        self.body = body
        self.gate = asyncio.Event()
        self.waiting = self.most = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.gate.wait()
        self.waiting -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.body})


def client_of(upstream: Upstream, timeout_seconds: float = 60) -> BigCommerceClient:
    http = httpx.AsyncClient(transport=httpx.ASGITransport(upstream), base_url="http://localhost")
    return BigCommerceClient(http, timeout_seconds=timeout_seconds)


async def test_ten_requests_at_most_are_in_flight() -> None:
    upstream = Upstream()
    client = client_of(upstream)
    senders = [asyncio.ensure_future(client.send(list_segments(n, 50))) for n in range(1, 31)]
    for _ in range(100):
        await asyncio.sleep(0)
    assert upstream.waiting == MAXIMUM_IN_FLIGHT == 10
    upstream.gate.set()
    await asyncio.gather(*senders)
    assert upstream.most == 10


async def test_wait_for_a_slot_counts_into_the_timeout() -> None:
    upstream = Upstream()
    client = client_of(upstream, timeout_seconds=0.05)
    sent = [client.send(list_segments(n, 50)) for n in range(1, 12)]
    errors = await asyncio.gather(*sent, return_exceptions=True)
    assert {type(error) for error in errors} == {UpstreamTimeout}


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
async def test_answer_is_bounded_in_bytes(extra: int, fits: bool) -> None:
    upstream = Upstream(b"x" * (MAXIMUM_ANSWER_BYTES + extra))
    upstream.gate.set()
    client = client_of(upstream)
    if fits:
        assert len((await client.send(list_segments(1, 50))).body) == MAXIMUM_ANSWER_BYTES
    else:
        with pytest.raises(UpstreamUnavailable, match="beyond all measure"):
            await client.send(list_segments(1, 50))


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
async def test_proxies_of_the_environment_never_get_the_token(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulator_on_a_port(3) as (url, emulator):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
        settings = load_settings(
            {
                "GATEWAY_STORE_HASH": emulator.store_hash,
                "GATEWAY_ACCESS_TOKEN": emulator.token,
                "GATEWAY_UPSTREAM_URL": url,
            }
        )
        is_well, sentence = await check(settings)
    assert is_well, sentence


async def test_client_waits_no_longer_than_its_own_timeout() -> None:
    settings = load_settings({"GATEWAY_REQUEST_TIMEOUT_SECONDS": "7"})
    async with create_parts(settings).http as http:
        assert http.timeout == httpx.Timeout(7)
        assert http.trust_env is False
        assert http.follow_redirects is False
