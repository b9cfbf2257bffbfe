"""TLS before a server that has none: takes it off, and hands on what comes."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

# One pair for both sides: its own authority, of 127.0.0.1, for a hundred years. Made with
# `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
# -subj "/CN=a test of the gateway" -addext "subjectAltName=IP:127.0.0.1"`.
CERTIFICATE = Path(__file__).parent / "certificates" / "certificate.pem"
PATIENCE_SECONDS = 10.0
KEY = Path(__file__).parent / "certificates" / "key.pem"


@asynccontextmanager
async def tls_before(port: int, *, asks_for_a_certificate: bool = False) -> AsyncIterator[int]:
    """Yields the port at which TLS is spoken for what listens on another one."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=CERTIFICATE)
    context.load_cert_chain(CERTIFICATE, KEY)
    context.verify_mode = ssl.CERT_REQUIRED if asks_for_a_certificate else ssl.CERT_NONE

    connections: set[asyncio.Task[None] | None] = set()

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, behind_writer), pipe(behind_reader, writer))

    async with await asyncio.start_server(hand_on, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]
    if tasks := [task for task in connections if task is not None]:
        await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)  # their client has gone


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
