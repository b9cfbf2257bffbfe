"""The clients' API keys: a JSON file with the hash of each, made by `gateway keys create`.

A key is `gwk_` and 256 random bits in base64url (RFC 4648, 5). The prefix is for scanners that look
for secrets in repositories. The file has no key, only its SHA-256: a slow hash protects passwords,
which can be guessed, and would cost every request; 256 random bits cannot be guessed.
"""

import hashlib
import os
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from gateway.identity import AccessScope

PREFIX = "gwk_"
KEY_BYTES = 32
MAXIMUM_FILE_BYTES = 1024**2
KEY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
WRITABLE_BY_OTHERS = 0o022


class ApiKeysError(Exception):
    """The file of API keys cannot be used or changed so; the message says why, without a period."""


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An API key in the file: the SHA-256 of the key in hex, and what its client may read."""

    name: Annotated[str, msgspec.Meta(pattern=rf"\A{KEY_NAME.pattern}\Z")]
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    scopes: list[AccessScope]
    created: Annotated[datetime, msgspec.Meta(tz=True)]


class _KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: list[ApiKey]


ApiKeys: TypeAlias = tuple[ApiKey, ...]


def hash_of(key: str) -> str:
    """Returns the SHA-256 of an API key, in hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def parse_key_name(text: str) -> str:
    """Returns the name of a key; raises `ValueError` with a sentence."""
    if not KEY_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not 1 to 64 letters, digits, -, _ or .")
    return text


def parse_scopes(text: str) -> list[AccessScope]:
    """Returns the scopes of a list such as `segments:read,federation`.

    Raises `ValueError` with a sentence that lists the known scopes.
    """
    names = {part.strip() for part in text.split(",")}
    unknown = names - {*AccessScope}
    if unknown:
        raise ValueError(f"{min(unknown)!r} is none of {', '.join(AccessScope)}")
    return [scope for scope in AccessScope if scope in names]


def read_api_keys(file: Path) -> ApiKeys:
    """Returns the keys of a file; raises `ApiKeysError`."""
    try:
        with file.open("rb") as opened:
            # Such a user could give any scope to a key.
            if sys.platform != "win32" and os.fstat(opened.fileno()).st_mode & WRITABLE_BY_OTHERS:
                raise ApiKeysError("Other users can write the file: run `chmod go-w` on it")
            text = opened.read(MAXIMUM_FILE_BYTES + 1)
    except OSError as error:
        raise ApiKeysError(f"The file cannot be read: {_reason(error)}") from error
    if len(text) > MAXIMUM_FILE_BYTES:
        raise ApiKeysError(f"The file is larger than {MAXIMUM_FILE_BYTES} bytes")
    try:
        keys = msgspec.json.decode(text, type=_KeyFile).keys
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiKeysError("The file has to be made by `gateway keys create`") from error
    if len({key.name for key in keys}) < len(keys) or len({key.sha256 for key in keys}) < len(keys):
        raise ApiKeysError("The file has a key or the name of a key twice")
    return tuple(keys)


def create_api_key(file: Path, name: str, scopes: Sequence[AccessScope]) -> str:
    """Adds a new key to a file, which may not exist yet; returns the key.

    Raises `ApiKeysError`, as for a name that the file has.
    """
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    created = ApiKey(name, hash_of(key), list(scopes), datetime.now(UTC).replace(microsecond=0))

    def added(keys: ApiKeys) -> ApiKeys:
        if any(other.name == name for other in keys):
            raise ApiKeysError(f"The file has a key with the name {name}: revoke it first")
        return (*keys, created)

    _change(file, added)
    return key


def revoke_api_key(file: Path, name: str) -> None:
    """Removes a key from a file; raises `ApiKeysError`."""

    def without(keys: ApiKeys) -> ApiKeys:
        left = tuple(key for key in keys if key.name != name)
        if len(left) == len(keys):
            raise ApiKeysError(f"The file has no key with the name {name}")
        return left

    read_api_keys(file)
    _change(file, without)


def api_keys_table(keys: ApiKeys) -> str:
    """Returns a line for each key: name, time of its creation and scopes."""
    width = max((len(key.name) for key in keys), default=0)
    return "".join(
        f"{key.name:{width}}  {key.created:%Y-%m-%dT%H:%M:%SZ}  {','.join(key.scopes)}\n"
        for key in keys
    )


def _change(file: Path, change: Callable[[ApiKeys], ApiKeys]) -> None:
    """Replaces a file in one step; its draft, which only one process can make, is the lock."""
    file = file.resolve()
    draft = file.with_name(f"{file.name}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ApiKeysError(
            f"Another command changes the file; if none runs, remove {draft.name} beside it"
        ) from None
    except OSError as error:
        raise ApiKeysError(f"The file cannot be written: {_reason(error)}") from error
    try:
        with os.fdopen(descriptor, "wb") as opened:
            keys = change(read_api_keys(file) if file.exists() else ())
            opened.write(msgspec.json.format(msgspec.json.encode(_KeyFile([*keys]))) + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(draft, file)
    except BaseException as error:
        draft.unlink()
        if isinstance(error, OSError):
            raise ApiKeysError(f"The file cannot be written: {_reason(error)}") from error
        raise


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
