"""Authentication for tests of what comes after it: any client, with every scope."""

from starlette.requests import Request

from gateway.identity import ALL_SCOPES, Client


async def anonymous(request: Request) -> Client:
    """Returns the client of the peer's address."""
    return Client(f"peer:{request.client.host if request.client else 'unknown'}", ALL_SCOPES)
