"""The address of Redis, its keys' prefix and its TLS files.

No message repeats any part of them: a URL may hold a password.
"""

import re
import ssl
from pathlib import Path

from gateway.settings.tls_files import holds_certificates
from gateway.settings.upstream_url import HIGHEST_PORT, is_host

# RFC 3986, 3; what a user or a password holds beside these is percent-encoded.
REDIS_URL = re.compile(
    r"(?P<scheme>rediss?)://"
    r"(?:(?P<user>[^:@/?#\s]*)(?::(?P<password>[^:@/?#\s]*))?@)?"
    r"(?P<host>[^][/:@?#\s]+|\[[^][/\s]+\])(?::(?P<port>[0-9]{1,5}))?(?P<path>/.*)?"
)
PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
DATABASE = re.compile(r"/?|/[0-9]{1,4}")
PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def checked_redis_url(url: str) -> str:
    """Returns the URL.

    Raises `ValueError` with a clause that says what it has to be.
    """
    if not {"?", "#"}.isdisjoint(url):
        raise ValueError(
            "it must not hold a query or a fragment; in a user or password ? is %3F and # is %23"
        )
    parts = REDIS_URL.fullmatch(url)
    if parts is None or not url.isascii() or not url.isprintable():
        raise ValueError(
            "it has to be a URL such as rediss://user:password@redis.example.com:6379/0; "
            "in a user or password : is %3A, @ is %40 and / is %2F"
        )
    host = parts["host"]
    if not is_host(host[1:-1] if host.startswith("[") and ":" in host else host):
        raise ValueError("its host has to be a name, an IPv4 address, or an IPv6 one in brackets")
    if not 0 < int(parts["port"] or 6379) <= HIGHEST_PORT:
        raise ValueError(f"its port has to be a number from 1 to {HIGHEST_PORT}")
    if not DATABASE.fullmatch(parts["path"] or ""):
        raise ValueError("its path has to be the number of a database, such as /0, or none")
    if PERCENT.search(url):
        raise ValueError("in a user or password % is %25")
    if parts["user"] and parts["password"] is None:
        raise ValueError("it holds a user without a password; a password alone is :password@")
    return url


def checked_prefix(prefix: str) -> str:
    """Returns the prefix; raises `ValueError` where it would not stay as it is in a key."""
    if not PREFIX.fullmatch(prefix):
        raise ValueError("it has to be letters, digits, _, . and -, at most 64 of them")
    return prefix


def complaint_about_tls(
    url: str | None, ca_file: Path | None, certificate_file: Path | None, key_file: Path | None
) -> str | None:
    """Returns a sentence on TLS files that do not fit together or with the URL, None if they do."""
    if ca_file is None and certificate_file is None and key_file is None:
        return None
    if url is None or not url.startswith("rediss://"):
        return (
            "GATEWAY_REDIS_CA_FILE, GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE are "
            "for TLS: GATEWAY_REDIS_URL has to begin with rediss://."
        )
    if key_file is not None and certificate_file is None:
        return "GATEWAY_REDIS_KEY_FILE is set without GATEWAY_REDIS_CERTIFICATE_FILE: set both."
    if ca_file is not None and not holds_certificates(ca_file):
        return "GATEWAY_REDIS_CA_FILE holds no certificates: it has to be PEM."
    if certificate_file is not None:
        context = ssl.create_default_context()
        try:
            # A key with a password would ask for it on the terminal.
            context.load_cert_chain(certificate_file, key_file, password=lambda: "")
        except OSError:
            return (
                "GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE are no pair: they have "
                "to be PEM, the key without a password, both in one file or each in its own."
            )
    return None
