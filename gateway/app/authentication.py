"""Creates the authentication of clients that the settings ask for."""

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx

from gateway.bigcommerce.body import ACCEPTED_ENCODING, BodyTooLarge, BodyUnreadable, read_body
from gateway.bigcommerce.transport_errors import describe_transport_error
from gateway.identity import ALL_SCOPES, AccessScope
from gateway.settings import Settings, check_exposure, networks_of, parts
from gateway.web.authentication import (
    Authenticate,
    Authentication,
    KeyFile,
    KeysUnavailable,
    Peers,
)

if TYPE_CHECKING:
    from gateway.web.authentication.signing_keys import Fetch
    from gateway.web.authentication.tokens import Tokens

# Tokens that wait for a first or a new key wait this long at most.
FETCH_SECONDS = 3.0
# What OpenSSL calls the file of the system's authorities.
CA_VARIABLE = "SSL_CERT_FILE"

READ = frozenset({AccessScope.SEGMENTS_READ, AccessScope.PROFILES_READ, AccessScope.FEDERATION})
WRITE = READ | {AccessScope.SEGMENTS_WRITE, AccessScope.PROFILES_WRITE}
ANONYMOUS = {"none": None, "read": READ, "write": WRITE}


def create_authentication(settings: Settings, now: Callable[[], float]) -> Authenticate:
    """Returns the authentication of clients; `now` returns seconds since the epoch.

    Raises `SettingsError` where nothing says who the clients of a real store are.
    """
    check_exposure(settings)
    return Authentication(
        now,
        peers=Peers(networks_of(settings.trusted_proxies)),
        anonymous=(
            ANONYMOUS[settings.allow_anonymous] if settings.says_who_clients_are else ALL_SCOPES
        ),
        keys=None if settings.api_keys_file is None else KeyFile(settings.api_keys_file, now),
        tokens=_tokens(settings, now),
    )


def _tokens(settings: Settings, now: Callable[[], float]) -> "Tokens | None":
    if settings.jwt_jwks_url is None:
        return None
    # Here, because only a gateway that takes tokens pays for the import of PyJWT.
    from gateway.web.authentication.signing_keys import SigningKeys
    from gateway.web.authentication.tokens import Tokens

    algorithms = parts(settings.jwt_algorithms)
    return Tokens(
        SigningKeys(fetch_from(str(settings.jwt_jwks_url)), algorithms, now),
        issuer=settings.jwt_issuer or "",
        audience=settings.jwt_audience or "",
        algorithms=algorithms,
        now=now,
    )


def fetch_from(url: str) -> "Fetch":
    """Returns what fetches the keys: with a client of its own, which has no token of the store."""
    # The system's authorities: an issuer is often a company's own.
    tls = ssl.create_default_context()
    headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED_ENCODING}

    async def fetch() -> bytes:
        try:
            async with (
                asyncio.timeout(FETCH_SECONDS),
                httpx.AsyncClient(verify=tls, trust_env=False, timeout=None) as http,  # noqa: S113
                http.stream("GET", url, headers=headers) as answer,
            ):
                if answer.status_code != 200:
                    raise KeysUnavailable(f"the answer has the status {answer.status_code}")
                encoding = answer.headers.get("content-encoding", "")
                return await read_body(answer.aiter_raw(), encoding)
        except TimeoutError as error:
            raise KeysUnavailable(f"no answer within {FETCH_SECONDS:g} seconds") from error
        except httpx.TransportError as error:
            raise KeysUnavailable(describe_transport_error(error, CA_VARIABLE)) from error
        except (BodyTooLarge, BodyUnreadable) as error:
            raise KeysUnavailable(f"the answer {error}") from error

    return fetch
