"""The API keys of a file, which is read again when it changes."""

import hmac
import logging
from collections.abc import Callable
from pathlib import Path

from gateway.api_keys import ApiKeysError, hash_of, read_api_keys
from gateway.identity import Client
from gateway.web.authentication.refused import CredentialsRefused

# The file is looked at no more often; a revoked key is refused after this time at the latest.
LOOK_SECONDS = 1.0

UNKNOWN_KEY = "The API key is not known."
NO_HASH = ""
NO_CLIENT = Client("", frozenset())

log = logging.getLogger(__name__)


class KeyFile:
    """The clients of a file of API keys, as of at most a second ago.

    A new file that cannot be read is logged, and the old keys stay. `now` returns seconds.
    """

    def __init__(self, file: Path, now: Callable[[], float]) -> None:
        """Reads the file; raises `ApiKeysError`."""
        self._file = file
        self._now = now
        self._looked_at = now()
        self._version = self._current_version()
        self._clients = _clients(file)

    def client_of(self, key: str) -> Client:
        """Returns the client of an API key; raises `CredentialsRefused`."""
        if self._now() - self._looked_at >= LOOK_SECONDS:
            self._look()
        digest = hash_of(key)
        # The time of the search depends on hashes, which tell nothing of the keys.
        known, client = self._clients.get(digest, (NO_HASH, NO_CLIENT))
        if not hmac.compare_digest(known, digest):
            raise CredentialsRefused(UNKNOWN_KEY)
        return client

    def _look(self) -> None:
        """Reads the file if it has changed: a `stat` takes microseconds, a change is rare."""
        self._looked_at = self._now()
        version = self._current_version()
        if version == self._version:
            return
        self._version = version
        try:
            self._clients = _clients(self._file)
            log.info("the file of API keys has changed: it has %d keys", len(self._clients))
        except ApiKeysError as error:
            log.error("the file of API keys has changed, the keys before it stay: %s", error)

    def _current_version(self) -> tuple[int, ...]:
        try:
            stat = self._file.stat()
        except OSError:
            return ()
        return stat.st_ino, stat.st_mtime_ns, stat.st_size, stat.st_mode


def _clients(file: Path) -> dict[str, tuple[str, Client]]:
    return {
        key.sha256: (key.sha256, Client(f"key:{key.name}", frozenset(key.scopes)))
        for key in read_api_keys(file)
    }
