"""Signs what processes share in Redis: another writer of Redis can neither make nor move it.

A signed value is its time (8 bytes), its MAC (16 bytes) and the value. The MAC is keyed BLAKE2b
(RFC 7693) over the time, the length of the Redis key, the key and the value.
"""

from hashlib import blake2b
from hmac import compare_digest
from struct import Struct

_TIME = Struct(">d")
_TIME_AND_LENGTH = Struct(">dI")
_MAC_BYTES = 16
_HEAD_BYTES = _TIME.size + _MAC_BYTES
# The purpose of the derived key: no other use of the secret has the same key.
_PURPOSE = b"gateway-redis-v4"


class Signer:
    """Signs and verifies values with a key that is derived from `secret`, the store's token.

    Processes with the same secret accept each other's values.
    """

    def __init__(self, secret: str) -> None:
        derived = blake2b(secret.encode(), person=_PURPOSE).digest()
        self._keyed = blake2b(key=derived, digest_size=_MAC_BYTES)

    def sign(self, key: str, at: float, value: bytes) -> bytes:
        """Returns a value of a Redis key with its time in seconds, signed."""
        return _TIME.pack(at) + self._mac(key, at, value) + value

    def verify(self, key: str, raw: bytes) -> tuple[float, bytes] | None:
        """Returns the time and the value; None if no process with this secret signed them.

        A value that was signed for another key is not accepted either. An old one is: the caller
        checks its time.
        """
        if len(raw) < _HEAD_BYTES:
            return None
        (at,) = _TIME.unpack_from(raw)
        value = raw[_HEAD_BYTES:]
        is_signed = compare_digest(raw[_TIME.size : _HEAD_BYTES], self._mac(key, at, value))
        return (at, value) if is_signed else None

    def _mac(self, key: str, at: float, value: bytes) -> bytes:
        name = key.encode()
        mac = self._keyed.copy()
        mac.update(_TIME_AND_LENGTH.pack(at, len(name)) + name)
        mac.update(value)
        return mac.digest()
