"""The URLs of upstream, Redis and key set: pydantic's types, and refusals that promises need."""

import re
from ipaddress import ip_address
from typing import Annotated, TypeAlias

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    RedisDsn,
    Secret,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

HOST = r"^[A-Za-z0-9_.:-]+$"
DATABASE_PATH = re.compile("/[0-9]{0,4}")
BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def _check_upstream_url(text: object, validate: ValidatorFunctionWrapHandler) -> AnyHttpUrl:
    url: AnyHttpUrl = validate(text)
    if url.query is not None:
        raise ValueError("It must not hold credentials, a query or a fragment")
    if "/stores/" in f"{url.path}/":
        raise ValueError(
            "It must not hold the store's own path, /stores/…: the hash goes into "
            "GATEWAY_STORE_HASH"
        )
    return _check_url(url, str(text).strip())


def _check_jwks_url(text: object, validate: ValidatorFunctionWrapHandler) -> AnyHttpUrl:
    url = _check_url(validate(text), str(text).strip())
    if url.scheme == "http" and not is_loopback((url.host or "").strip("[]")):
        raise ValueError(
            "It has to begin with https://, unless its host is loopback: tokens are as safe as "
            "these keys"
        )
    return url


def _check_url(url: AnyHttpUrl, written: str) -> AnyHttpUrl:
    origin = f"{url.scheme}://{url.host}"
    is_rewritten = not written.lower().startswith(origin) or len(written.split()) > 1
    # A text with an @ is not quoted: what was read as the host may be part of a password.
    if (url.username, url.password, url.fragment) != (None,) * 3 or (
        is_rewritten and "@" in written
    ):
        raise ValueError("It must not hold credentials, a query or a fragment")
    # httpx decodes them by IDNA 2008, and fails for names that only pydantic accepts.
    if "xn--" in (url.host or ""):
        raise ValueError("Its host must not be an internationalized name (xn--…)")
    if is_rewritten:
        raise ValueError(f"It is read as {url}: if that is right, write it that way")
    _check_host_and_port(url)
    return url


def _check_redis_url(secret: Secret[RedisDsn]) -> Secret[RedisDsn]:
    url = secret.get_secret_value()
    # redis-py reads options from the query; one of them turns off the check of certificates.
    if url.query is not None or url.fragment is not None:
        raise ValueError(
            "It must not hold a query or a fragment; in a user or password write %3F for ? "
            "and %23 for #"
        )
    # redis-py uses database 0 for a path that is not a number.
    if not DATABASE_PATH.fullmatch(url.path or "/"):
        raise ValueError("Its path has to be the number of a database, such as /0, or none")
    if url.username is not None and url.password is None:
        raise ValueError(
            "It has a user without a password: write user:password@, or :password@ for a "
            "password alone"
        )
    if BAD_ESCAPE.search(f"{url.username}{url.password}"):
        raise ValueError("In its user or password write %25 for %")
    _check_host_and_port(url)
    return secret


UpstreamUrl: TypeAlias = Annotated[AnyHttpUrl, WrapValidator(_check_upstream_url)]
JwksUrl: TypeAlias = Annotated[AnyHttpUrl, WrapValidator(_check_jwks_url)]
RedisUrl: TypeAlias = Annotated[Secret[RedisDsn], AfterValidator(_check_redis_url)]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_host_and_port(url: AnyHttpUrl | RedisDsn) -> None:
    host = (url.host or "").strip("[]")
    try:
        host.encode("idna")  # asyncio does the same to resolve the name
    except UnicodeError:
        raise ValueError("Each part of its host has to have 1 to 63 characters") from None
    if not re.match(HOST, host):
        raise ValueError("Its host has to be a host name or an IP address")
    if url.port == 0:
        raise ValueError("Its port must not be 0")
