"""Who sent a request: the client that its credentials or its peer's address name.

credentials   the header `Authorization`, and the client that it names
key_file      API keys, read again when their file changes
tokens        JSON web tokens
signing_keys  the keys that sign the tokens, fetched from their issuer (JWKS)
peers         the address of a peer, or of the client that a trusted proxy names
refused       the reason for which credentials are refused, or cannot be checked
failures      requests without valid credentials: slowed, counted and logged

Only a gateway that takes tokens imports `tokens` and `signing_keys`, by their own names: they
import PyJWT and cryptography, which cost each start 0.05 seconds and 9 MiB.
"""

from gateway.web.authentication.credentials import Authenticate, Authentication
from gateway.web.authentication.key_file import KeyFile
from gateway.web.authentication.peers import Peers
from gateway.web.authentication.refused import KeysUnavailable

__all__ = [
    "Authenticate",
    "Authentication",
    "KeyFile",
    "KeysUnavailable",
    "Peers",
]
