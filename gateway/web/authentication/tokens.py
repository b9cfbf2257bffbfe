"""JSON web tokens (RFC 7519), with their checks of RFC 8725; PyJWT verifies the signature."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cachetools import TLRUCache

from gateway.identity import AccessScope, Client
from gateway.web.authentication.refused import CredentialsRefused
from gateway.web.authentication.signing_keys import KeySet, SigningKeys

MAXIMUM_TOKEN_CHARACTERS = 8192
MAXIMUM_SUBJECT_CHARACTERS = 200
# Clocks of two machines differ.
LEEWAY_SECONDS = 30.0
# A verified token is not verified again for this long, nor beyond its `exp`.
VERIFIED_SECONDS = 60.0
MAXIMUM_VERIFIED = 1024

INVALID = "The token is not valid."
EXPIRED = "The token has expired."
TOO_EARLY = "The token is not valid yet."
SCOPES = {scope.value: scope for scope in AccessScope}


@dataclass(frozen=True, slots=True)
class _Verified:
    client: Client
    until: float


class Tokens:
    """Verifies tokens of one issuer for one audience; `now` returns seconds since the epoch."""

    def __init__(
        self,
        keys: SigningKeys,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str],
        now: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._algorithms = frozenset(algorithms)
        self._now = now
        # By hash: what is in memory cannot be sent.
        self._verified: TLRUCache[bytes, _Verified] = TLRUCache(
            MAXIMUM_VERIFIED,
            lambda _, verified, at: min(verified.until, at + VERIFIED_SECONDS),
            timer=now,
        )

    async def client_of(self, token: str) -> Client:
        """Returns the client of a token; raises `CredentialsRefused` and `KeysUnavailable`.

        It verifies a token again that is verified already: ask `verified` first.
        """
        if len(token) > MAXIMUM_TOKEN_CHARACTERS:
            raise CredentialsRefused(INVALID)
        claims = await self._claims(token)
        verified = self._verified[_digest(token)] = self._check(claims)
        return verified.client

    def verified(self, token: str) -> Client | None:
        """Returns the client of a token that was verified within the last minute, else None."""
        if len(token) > MAXIMUM_TOKEN_CHARACTERS:
            return None
        verified = self._verified.get(_digest(token))
        return None if verified is None else verified.client

    async def _claims(self, token: str) -> dict[str, Any]:
        """Returns the claims of a token with a valid signature, issuer and audience."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise CredentialsRefused(INVALID) from error
        # Of the header only these two count. A key or an address of one in it (`jwk`, `jku`,
        # `x5c`, `x5u`) is ignored: RFC 8725, 3.10.
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise CredentialsRefused(INVALID)
        keys = await self._keys.current()
        claims = self._verify(token, keys, algorithm, kid)
        if claims is None and all(key.kid != kid or kid is None for key in keys):
            newer = await self._keys.newer_than(keys)
            claims = None if newer is keys else self._verify(token, newer, algorithm, kid)
        if claims is None:
            raise CredentialsRefused(INVALID)
        return claims

    def _verify(
        self, token: str, keys: KeySet, algorithm: str, kid: str | None
    ) -> dict[str, Any] | None:
        """Returns the claims, None if no key verifies the signature; raises `CredentialsRefused`.

        A token or a key without an id may belong to any.
        """
        for key in keys:
            if key.algorithm != algorithm or (kid != key.kid and None not in (kid, key.kid)):
                continue
            try:
                return jwt.decode(
                    token,
                    key.jwk,
                    [algorithm],
                    audience=self._audience,
                    issuer=self._issuer,
                    options={
                        "require": ["exp", "iss", "aud", "sub"],
                        "enforce_minimum_key_length": True,
                        # `_check` compares them with the gateway's clock.
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                    },
                )
            except (jwt.InvalidSignatureError, jwt.InvalidKeyError):
                continue
            except jwt.PyJWTError as error:
                raise CredentialsRefused(INVALID) from error
        return None

    def _check(self, claims: dict[str, Any]) -> _Verified:
        """Returns the client of verified claims; raises `CredentialsRefused`."""
        now = self._now()
        expires_at, not_before = claims["exp"], claims.get("nbf", 0)
        # Not a bool, which is an int in Python. NaN is neither more nor less than a number.
        if not {type(expires_at), type(not_before)} <= {int, float}:
            raise CredentialsRefused(INVALID)
        if not expires_at > now - LEEWAY_SECONDS:
            raise CredentialsRefused(EXPIRED)
        if not not_before <= now + LEEWAY_SECONDS:
            raise CredentialsRefused(TOO_EARLY)
        subject = claims["sub"]
        if not (0 < len(subject) <= MAXIMUM_SUBJECT_CHARACTERS and subject.isprintable()):
            raise CredentialsRefused(INVALID)
        return _Verified(Client(f"token:{subject}", _scopes(claims)), expires_at)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _scopes(claims: dict[str, Any]) -> frozenset[AccessScope]:
    """The known scopes of `scope` (RFC 8693, 4.2) and of `scp`, which Okta and Entra ID send."""
    names: set[object] = set()
    for claim in (claims.get("scope"), claims.get("scp")):
        if isinstance(claim, str):
            names.update(claim.split(" "))
        elif isinstance(claim, list):
            names.update(name for name in claim if isinstance(name, str))
    return frozenset(scope for name, scope in SCOPES.items() if name in names)
