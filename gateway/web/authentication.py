"""Who sent a request: the client that its credentials or its peer's address name."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request

from gateway.identity import ALL_SCOPES, Client

Authenticate: TypeAlias = Callable[[Request], Awaitable[Client]]
"""Returns the client that sent a request; raises `RequestError` with status 401."""


async def anonymous(request: Request) -> Client:
    """Returns the client of the peer's address, with every scope."""
    return Client(f"peer:{request.client.host if request.client else 'unknown'}", ALL_SCOPES)
