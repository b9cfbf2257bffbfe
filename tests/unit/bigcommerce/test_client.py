"""What the client logs about each answer, and about each that did not come."""

import asyncio
import logging
import socket
import ssl
import struct
from collections.abc import Callable

import httpx
import pytest
from virtual_time import in_virtual_time
from wire import HeldWire

from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.listings import SEGMENTS
from gateway.bigcommerce.transport_errors import describe_transport_error
from gateway.errors import GatewayError, UpstreamTimeout

TOKEN = "s3cr3t-t0k3n"
Answering = Callable[[httpx.Request], httpx.Response]


def client_over(answering: Answering) -> BigCommerceClient:
    def streaming(request: httpx.Request) -> httpx.Response:
        answer = answering(request)
        stream = httpx.ByteStream(answer.content)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=stream)

    http = httpx.AsyncClient(
        transport=httpx.MockTransport(streaming), base_url="http://store.test/v3/"
    )
    return BigCommerceClient(http)


STORES_ID = "0123456789abcdef0123456789ABCDEF"


def quota(left: int, milliseconds: int = 30_000) -> dict[str, str]:
    return {
        "X-Rate-Limit-Requests-Left": str(left),
        "X-Rate-Limit-Requests-Quota": "150",
        "X-Rate-Limit-Time-Reset-Ms": str(milliseconds),
    }


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Returns level and text of each line, with `n` for the milliseconds."""
    lines = []
    for record in caplog.records:
        if record.name == "gateway.bigcommerce.client":
            words = record.getMessage().split(" ms", 1)
            text = f"{words[0].rpartition(' ')[0]} n ms{words[1]}" if len(words) > 1 else words[0]
            lines.append((record.levelname, text))
    return lines


@pytest.mark.parametrize("status", [302, 400, 404, 409, 413, 414, 422, 429, 500, 503])
async def test_failed_answer_is_a_warning(status: int, caplog: pytest.LogCaptureFixture) -> None:
    headers = {"X-Request-Id": STORES_ID, **quota(9)}
    client = client_over(lambda _: httpx.Response(status, headers=headers, text=TOKEN))
    assert (await client.send(SEGMENTS.page(1, 250), 5)).status == status
    assert logged(caplog) == [
        (
            "WARNING",
            f"list_segments: the upstream answered {status} after n ms; "
            f"its request id: {STORES_ID}; quota left: 9",
        )
    ]


@pytest.mark.parametrize("echoed", [TOKEN, "a\x1b[31mred", "", "x" * 33])
async def test_only_an_id_and_a_number_of_received_text_are_logged(
    echoed: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"X-Request-Id": echoed, "X-Rate-Limit-Requests-Left": echoed}
    client = client_over(lambda _: httpx.Response(500, headers=headers))
    await client.send(SEGMENTS.page(1, 250), 5)
    assert logged(caplog)[0][1].endswith("; its request id: not known; quota left: not known")


async def test_missing_headers_of_a_failed_answer_are_logged_as_such(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await client_over(lambda _: httpx.Response(502)).send(SEGMENTS.page(1, 250), 5)
    assert logged(caplog)[0][1].endswith("; its request id: not known; quota left: not known")


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_token_is_one_error(status: int, caplog: pytest.LogCaptureFixture) -> None:
    await client_over(lambda _: httpx.Response(status)).send(SEGMENTS.page(1, 250), 5)
    ((level, text),) = logged(caplog)
    assert level == "ERROR"
    assert text.startswith(
        f"list_segments: the upstream answered {status} to the gateway's token (request id: "
    )


async def test_each_success_is_logged_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    client = client_over(lambda _: httpx.Response(200, headers=quota(149)))
    await client.send(SEGMENTS.page(1, 250), 5)
    assert logged(caplog) == []
    caplog.set_level(logging.DEBUG, "gateway.bigcommerce.client")
    await client.send(SEGMENTS.page(1, 250), 5)
    assert logged(caplog) == [
        (
            "DEBUG",
            "list_segments: the upstream answered 200 after n ms; "
            "its request id: not known; quota left: 149",
        )
    ]


@in_virtual_time
async def test_timeout_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    wire = HeldWire()
    with pytest.raises(UpstreamTimeout, match=r"^The store's API did not answer in time\.$"):
        await wire.client.send(SEGMENTS.page(1, 250), 5)
    assert logged(caplog) == [
        ("WARNING", "list_segments: no answer from the upstream within 5 seconds")
    ]
    assert wire.waiting == []


async def test_answer_that_is_too_large_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    client = client_over(lambda _: httpx.Response(200, content=b"x" * (8 * 1024 * 1024 + 1)))
    assert (await client.send(SEGMENTS.page(1, 250), 5)).body is None
    assert logged(caplog) == [
        ("WARNING", "list_segments: the upstream's answer is larger than 8388608 bytes")
    ]


async def failure_at(url: str) -> None:
    """Asks an upstream that fails."""
    headers = {"X-Auth-Token": TOKEN}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
        with pytest.raises(GatewayError, match=r"^The store's API cannot be reached\.$"):
            await BigCommerceClient(http).send(SEGMENTS.page(1, 250), 20)


def one_line(caplog: pytest.LogCaptureFixture) -> str:
    ((level, text),) = logged(caplog)
    assert level == "WARNING"
    return text.removeprefix("list_segments: no answer from the upstream after n ms: ")


async def test_refused_connection_is_logged_in_words(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    await failure_at(f"http://127.0.0.1:{port}")
    assert one_line(caplog) == "connection refused"


@pytest.mark.parametrize(
    ("scheme", "reply", "cause"),
    [
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "TLS: wrong version number"),
        ("http", b"", "connection closed before the answer"),
        ("http", None, "connection reset by peer"),
        (
            "http",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "connection closed amid the answer",
        ),
        ("http", b"X-Auth-Token: %b\r\n\r\n" % TOKEN.encode(), "the answer is no HTTP"),
    ],
)
async def test_broken_exchange_is_logged_in_words(
    scheme: str, reply: bytes | None, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        if reply is None:  # a close that is a reset
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        else:
            writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        await failure_at(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert one_line(caplog) == cause
    assert TOKEN not in caplog.text


REMEDY = "; GATEWAY_UPSTREAM_CA_FILE has to name a file with its issuer's certificate"


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        (10, "certificate has expired", "certificate has expired"),
        (18, "self-signed certificate", f"self-signed certificate{REMEDY}"),
        (
            19,
            "self-signed certificate in certificate chain",
            f"self-signed certificate in certificate chain{REMEDY}",
        ),
        (
            20,
            "unable to get local issuer certificate",
            f"unable to get local issuer certificate{REMEDY}",
        ),
        (
            62,
            "Hostname mismatch, certificate is not valid for 's3cr3t.example.com'.",
            "Hostname mismatch",
        ),
    ],
)
def test_refused_certificate_is_described_with_its_reason(
    code: int, message: str, words: str
) -> None:
    refusal = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c:1006)")
    refusal.verify_code, refusal.verify_message = code, message
    error = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c:1006)")
    error.__cause__ = refusal
    assert describe_transport_error(error) == f"TLS: certificate not accepted: {words}"


def test_unknown_name_is_described_without_it() -> None:
    error = httpx.ConnectError("[Errno -2] Name or service not known")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    assert describe_transport_error(error) == "name not known"


def test_first_of_several_attempts_is_described() -> None:
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = ExceptionGroup(
        "several", [ConnectionRefusedError(111, "no"), OSError(113, "no")]
    )
    assert describe_transport_error(error) == "connection refused"


def test_unknown_cause_is_described_by_its_type() -> None:
    assert describe_transport_error(httpx.UnsupportedProtocol(TOKEN)) == "UnsupportedProtocol"
