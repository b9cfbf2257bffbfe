"""An emulated store in the process, and a client that asks it as the gateway does."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.emulator import Emulator, Store, create_emulator

STATUS_CODES = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
INVALID = "Some items are not valid."


@dataclass(frozen=True)
class Emulated:
    """The emulator, its store, and a client with its token."""

    emulator: Emulator
    store: Store
    client: httpx.AsyncClient

    async def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Returns the answer to a request with a body of JSON, or with none."""
        return await self.client.request(method, path, json=body)

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Returns the status and the body of an answer; the body is None if it is empty."""
        answer = await self.send(method, path, body)
        return answer.status_code, answer.json() if answer.content else None


@asynccontextmanager
async def emulated(store: Store, **behaviour: Any) -> AsyncIterator[Emulated]:
    """Yields a store with this behaviour; paths are relative to its `v3`."""
    app = create_emulator(store, **behaviour)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://emulator.localhost/stores/emulator/v3",
        headers={"X-Auth-Token": "emulator-token"},
    ) as client:
        yield Emulated(app.state.emulator, store, client)


def error(status: int, title: str, errors: Mapping[str, str] | None = None) -> dict[str, object]:
    """An error object."""
    return {"status": status, "title": title, "type": STATUS_CODES, "errors": errors or {}}


def failed(total: int, *errors: object) -> dict[str, object]:
    """The body of a batch of which nothing was carried out."""
    meta = {"total": total, "success": 0, "failed": total}
    return {"data": [], "errors": [*errors], "meta": meta}
