"""Refuses settings that contradict each other, with sentences that name the variables."""

from pathlib import Path
from typing import TYPE_CHECKING

from gateway.redis.tls import tls_context
from gateway.settings.clients import check_tokens
from gateway.settings.urls import is_loopback

if TYPE_CHECKING:
    from gateway.settings.settings import Settings


def check_consistency(settings: "Settings") -> None:
    """Raises `ValueError` with a line for each area whose settings contradict each other."""
    mistakes = []
    for check in (_check_upstream, _check_redis, check_tokens, _check_trusted_documents):
        try:
            check(settings)
        except ValueError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ValueError("\n".join(mistakes))


def _check_upstream(settings: "Settings") -> None:
    """Raises `ValueError` for settings of the upstream that contradict each other."""
    if settings.store_hash is not None and settings.access_token is None:
        raise ValueError("GATEWAY_STORE_HASH is set without GATEWAY_ACCESS_TOKEN: set both.")
    if settings.access_token is not None and settings.store_hash is None:
        raise ValueError("GATEWAY_ACCESS_TOKEN is set without GATEWAY_STORE_HASH: set both.")
    for field in ("upstream_url", "upstream_ca_file"):
        if settings.uses_emulator and field in settings.model_fields_set:
            raise ValueError(
                f"GATEWAY_{field.upper()} is set without GATEWAY_STORE_HASH and "
                "GATEWAY_ACCESS_TOKEN: set all three, or none to run on the emulator."
            )
    is_http = settings.upstream_url.scheme == "http"
    host = (settings.upstream_url.host or "").strip("[]")
    is_named = host == (settings.upstream_plain_http_host or "").lower()
    if is_http:
        if not is_named and not is_loopback(host):
            raise ValueError(
                "GATEWAY_UPSTREAM_URL would send the token by plain http: use https, or, if "
                "its network is your own, name the host alone, without scheme and port, in "
                "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST."
            )
        if settings.upstream_ca_file is not None:
            raise ValueError(
                "GATEWAY_UPSTREAM_CA_FILE is for TLS: GATEWAY_UPSTREAM_URL has to begin with "
                "https://."
            )
    if settings.upstream_plain_http_host is not None and not (is_http and is_named):
        raise ValueError(
            "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST has no effect: leave it out, unless "
            "GATEWAY_UPSTREAM_URL begins with http:// and this is its host."
        )
    if settings.upstream_ca_file is not None:
        _check_authorities("GATEWAY_UPSTREAM_CA_FILE", settings.upstream_ca_file)


def _check_redis(settings: "Settings") -> None:
    """Raises `ValueError` for settings of Redis that contradict each other."""
    _check_redis_password(settings)
    files = (settings.redis_ca_file, settings.redis_certificate_file, settings.redis_key_file)
    uses_tls = (
        settings.redis_url is not None and settings.redis_url.get_secret_value().scheme == "rediss"
    )
    if any(files) and not uses_tls:
        raise ValueError(
            "GATEWAY_REDIS_CA_FILE, GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE "
            "are for TLS: GATEWAY_REDIS_URL has to begin with rediss://."
        )
    if settings.redis_key_file is not None and settings.redis_certificate_file is None:
        raise ValueError(
            "GATEWAY_REDIS_KEY_FILE is set without GATEWAY_REDIS_CERTIFICATE_FILE: set both."
        )
    if settings.redis_ca_file is not None:
        _check_authorities("GATEWAY_REDIS_CA_FILE", settings.redis_ca_file)
    if settings.redis_certificate_file is not None:
        try:
            tls_context(None, settings.redis_certificate_file, settings.redis_key_file)
        except OSError:
            raise ValueError(
                "GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE are no pair: they "
                "have to be PEM, the key without a password, in one file or each in its own."
            ) from None


def _check_trusted_documents(settings: "Settings") -> None:
    """Raises `ValueError` if only trusted documents are executed, and there are none."""
    if settings.trusted_documents_only and settings.trusted_documents_file is None:
        raise ValueError(
            "GATEWAY_TRUSTED_DOCUMENTS_ONLY is set without GATEWAY_TRUSTED_DOCUMENTS_FILE: no "
            "document could be executed. Set both."
        )


def _check_redis_password(settings: "Settings") -> None:
    url = None if settings.redis_url is None else settings.redis_url.get_secret_value()
    sends_password = url is not None and url.scheme == "redis" and url.password is not None
    host = "" if url is None else (url.host or "").strip("[]").lower()
    is_named = host == (settings.redis_plain_tcp_host or "").lower()
    if sends_password and not is_named and not is_loopback(host):
        raise ValueError(
            "GATEWAY_REDIS_URL would send its password by plain TCP: use rediss://, or, if the "
            "network is your own, name the host alone in GATEWAY_REDIS_PLAIN_TCP_HOST."
        )
    if settings.redis_plain_tcp_host is not None and not (sends_password and is_named):
        raise ValueError(
            "GATEWAY_REDIS_PLAIN_TCP_HOST has no effect: leave it out, unless GATEWAY_REDIS_URL "
            "begins with redis://, has a password, and this is its host."
        )


def _check_authorities(variable: str, file: Path) -> None:
    try:
        tls_context(file)
    except (OSError, ValueError):
        raise ValueError(f"{variable} holds no certificates: it has to be PEM.") from None
