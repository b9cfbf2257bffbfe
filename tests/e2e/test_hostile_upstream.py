"""A store that attacks: each of its answers is bounded, and is an error with a code or is read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from gateway.app import create_app
from gateway.settings import load_settings

QUERY = "{ segments { totalCount nodes { name } } }"
PAGINATION = b'"meta":{"pagination":{"total":1,"count":1,"per_page":250,"current_page":1}}}'
ID = b'"id":"00000000-0000-4000-8000-000000000001"'
MIB = 1024 * 1024


@asynccontextmanager
async def store_that_sends(answer: bytes) -> AsyncIterator[str]:
    """Yields the URL of a server that answers each request with these bytes, and hangs up."""

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(ConnectionError):
            writer.write(answer)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(send, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def answer_over(url: str) -> httpx.Response:
    """What a client of a gateway over this store gets."""
    settings = {"STORE_HASH": "hostile", "ACCESS_TOKEN": "s3cr3t", "UPSTREAM_URL": url}
    app = create_app(load_settings({f"GATEWAY_{k}": v for k, v in settings.items()}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost", timeout=60
        ) as http,
    ):
        return await http.post("/graphql", json={"query": QUERY})


def with_head(*lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""])


def with_body(body: bytes) -> bytes:
    return with_head(b"Content-Length: %d" % len(body)) + body


def named(name: bytes) -> bytes:
    return with_body(b'{"data":[{' + ID + b',"name":' + name + b"}]," + PAGINATION)


FAILS = {
    "deep arrays": with_body(b'{"data":' + b"[" * MIB),
    "deep objects": with_body(b'{"data":' + b'{"a":' * MIB),
    "deep arrays beside the data": with_body(b'{"x":' + b"[" * MIB + b"]" * MIB + b"}"),
    "a total of a million digits": with_body(
        b'{"data":[],"meta":{"pagination":{"total":' + b"9" * MIB + b"}}}"
    ),
    "100 000 headers": with_head(*(b"X-%d: y" % n for n in range(100_000))) + b"{}",
    "a header of 10 MiB": with_head(b"X: " + b"y" * 10 * MIB) + b"{}",
    "a header that does not end": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10 * MIB,
    "a body of 10 MiB": with_body(b'{"data":"' + b"y" * 10 * MIB + b'"}'),
    "more than it announces": with_head(b"Content-Length: 2") + b"{}" * MIB,
    "a negative length": with_head(b"Content-Length: -1") + b"{}",
    "two lengths": with_head(b"Content-Length: 2", b"Content-Length: 3") + b"{}",
    "a status without end": b"HTTP/1.1 " + b"2" * MIB + b" OK\r\n\r\n",
    "no HTTP": b"\x00" * MIB,
    "nothing": b"",
}


@pytest.mark.parametrize("answer", FAILS.values(), ids=FAILS.keys())
async def test_answer_that_cannot_be_read_is_an_error_with_a_code(
    answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with store_that_sends(answer) as url:
        response = await answer_over(url)
    body = response.json()
    assert (response.status_code, body["data"]) == (200, {"segments": None})
    assert [error["extensions"]["code"] for error in body["errors"]] == ["UPSTREAM_UNAVAILABLE"]
    assert len(response.content) < 1000
    assert "s3cr3t" not in response.text + caplog.text
    assert not [record for record in caplog.records if record.exc_info]
    assert max(len(record.getMessage()) for record in caplog.records) < 500


ODD_NAMES = {
    "deep arrays": (b"[" * 100 + b"]" * 100, None),
    "a number of a million digits": (b"9" * MIB, None),
    "an infinite number": (b"1e999", None),
    "control characters": (rb'"\u0000\u001b[2J\u2028"', "\x00\x1b[2J\u2028"),
    "half a surrogate": (rb'"\ud800"', "\ufffd"),
}


@pytest.mark.parametrize(("name", "seen"), ODD_NAMES.values(), ids=ODD_NAMES.keys())
async def test_odd_name_is_text_or_null_or_an_error(name: bytes, seen: str | None) -> None:
    async with store_that_sends(named(name)) as url:
        body = (await answer_over(url)).json()
    if body["data"]["segments"] is None:
        assert seen is None
        codes = [error["extensions"]["code"] for error in body["errors"]]
        assert codes == ["UPSTREAM_UNAVAILABLE"]
    else:
        assert body["data"] == {"segments": {"totalCount": 1, "nodes": [{"name": seen}]}}
