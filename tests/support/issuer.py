"""An issuer of tokens in the test's process: its keys, their JWKS, and tokens that it signs."""

import json
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.web.authentication import KeysUnavailable

ISSUER = "https://id.example.com/"
AUDIENCE = "segments"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey
# Made once: an RSA key takes a while.
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = Ed25519PrivateKey.generate()


def public_jwk(key: PrivateKey, **members: object) -> dict[str, Any]:
    """Returns the public key as a JWK, with these members: `kid`, `alg`, `use`, `key_ops`."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        jwk = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        jwk = OKPAlgorithm.to_jwk(public, as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, **members}


class Issuer:
    """Serves `jwks` to those who call `fetch`, and counts them; `fails` makes fetches fail."""

    def __init__(self, now: Callable[[], float], *jwks: dict[str, Any]) -> None:
        self.jwks: list[Any] = [*jwks] or [public_jwk(RSA_KEY, kid="one", alg="RS256", use="sig")]
        self.fails = False
        self.fetches = 0
        self._now = now

    async def fetch(self) -> bytes:
        """Returns the JWKS."""
        self.fetches += 1
        if self.fails:
            raise KeysUnavailable("connection refused")
        return json.dumps({"keys": self.jwks}).encode()

    def token(
        self,
        key: Any = RSA_KEY,
        algorithm: str = "RS256",
        headers: dict[str, Any] | None = None,
        **claims: object,
    ) -> str:
        """Returns a token for five minutes; a claim that is None is left out."""
        now = int(self._now())
        whole = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "alice",
            "exp": now + 300,
            "scope": "segments:read",
            **claims,
        }
        payload = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(payload, key, algorithm, {"kid": "one"} if headers is None else headers)
