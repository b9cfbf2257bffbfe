"""The header `Authorization`, and the client that it names (RFC 6750, 2.1 and 3)."""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from starlette.requests import Request
from starlette.types import Scope

from gateway.api_keys import PREFIX
from gateway.errors import ErrorCode
from gateway.identity import PEER, AccessScope, Client
from gateway.web.authentication.failures import Failures
from gateway.web.authentication.key_file import KeyFile
from gateway.web.authentication.peers import Peers
from gateway.web.authentication.refused import (
    RETRY_SECONDS,
    CredentialsRefused,
    KeysUnavailable,
)
from gateway.web.request_error import RequestError

if TYPE_CHECKING:
    from gateway.web.authentication.tokens import Tokens

Authenticate: TypeAlias = Callable[[Request], Awaitable[Client]]
"""Returns the client that sent a request; raises `RequestError` with status 401, 400 or 503."""

CHALLENGE = 'Bearer realm="graphql"'
INVALID_CHALLENGE = f'{CHALLENGE}, error="invalid_token"'
NO_CREDENTIALS = "The request has no credentials."
OTHER_SCHEME = "The scheme of `Authorization` is not Bearer."
NO_API_KEY = "The credentials are no API key."
ADVICE = "Send `Authorization: Bearer` with an API key or a token of this gateway."


class Authentication:
    """Returns the client of a request: of its API key or token, else of its peer's address.

    `anonymous` are the scopes of a client without credentials, None to refuse it. Credentials that
    are sent have to be valid even so. Without `keys` and `tokens` there are no credentials to
    check, and `Authorization` is ignored: a router may hand on its clients' own.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        peers: Peers,
        anonymous: frozenset[AccessScope] | None,
        keys: KeyFile | None = None,
        tokens: "Tokens | None" = None,
    ) -> None:
        self._peers = peers
        self._anonymous = anonymous
        self._keys = keys
        self._tokens = tokens
        self._failures = Failures(now)

    def at_once(self, scope: Scope, authorization: bytes | None) -> Client | None:
        """Returns the client of a request's only `Authorization` if that takes no wait.

        None does not mean that it is refused.
        """
        if (self._keys is None and self._tokens is None) or authorization is None:
            if self._anonymous is None:
                return None
            return _anonymous_client(self._peers.name_of(scope), self._anonymous)
        try:
            return self._verified(_credential(authorization.decode("latin-1")))
        except CredentialsRefused:
            return None

    async def __call__(self, request: Request) -> Client:
        """Returns the client; raises `RequestError` with status 401, 400 or 503."""
        sent = request.headers.getlist("authorization")
        if self._keys is None and self._tokens is None:
            sent = []
        if len(sent) > 1:
            raise RequestError(400, "The request has several `Authorization` headers: send one.")
        authorization = sent[0].encode("latin-1") if sent else None
        if (client := self.at_once(request.scope, authorization)) is not None:
            return client
        try:
            return await self._client_of(sent[0] if sent else None)
        except CredentialsRefused as error:
            await self._failures.record(self._peers.name_of(request.scope), error.message)
            raise RequestError(
                401,
                f"{error.message} {ADVICE}",
                code=ErrorCode.UNAUTHENTICATED,
                headers={"WWW-Authenticate": INVALID_CHALLENGE if sent else CHALLENGE},
            ) from error
        except KeysUnavailable as error:
            raise RequestError(
                503,
                "The keys that sign tokens cannot be fetched. Try again later.",
                code=ErrorCode.UPSTREAM_UNAVAILABLE,
                headers={"Retry-After": f"{RETRY_SECONDS:.0f}"},
            ) from error

    def _verified(self, credential: str) -> Client | None:
        """Returns the client of a key, or of a token that was verified before, else None.

        Raises `CredentialsRefused` for an unknown key.
        """
        if self._keys is not None and credential.startswith(PREFIX):
            return self._keys.client_of(credential)
        return None if self._tokens is None else self._tokens.verified(credential)

    async def _client_of(self, authorization: str | None) -> Client:
        if authorization is None:
            raise CredentialsRefused(NO_CREDENTIALS)
        credential = _credential(authorization)
        if (client := self._verified(credential)) is not None:
            return client
        if self._tokens is not None:
            return await self._tokens.client_of(credential)
        raise CredentialsRefused(NO_API_KEY)


def _credential(authorization: str) -> str:
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise CredentialsRefused(OTHER_SCHEME)
    return credential.strip(" ")


@lru_cache(maxsize=1024)
def _anonymous_client(peer: str, scopes: frozenset[AccessScope]) -> Client:
    return Client(PEER + peer, scopes)
