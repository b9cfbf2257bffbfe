"""The names that the gateway answers to, and the origins of its own pages.

DNS rebinding: a page of `evil.example` whose name resolves to the gateway's address is of one
origin with the gateway for its browser. Only `Host` shows the difference.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

# RFC 3986, 3.2: a name or an address in brackets, and a port.
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:/?#@\[\]\s]+)(?::([0-9]*))?")
# A name has at most 253 characters (RFC 1035, 2.3.4); a scheme and a port come to it.
_LONGEST = 300
# Browsers leave the default port out; which scheme a proxy in front took is not known.
_DEFAULT_PORTS = frozenset({"80", "443"})
# Clients send a handful of different hosts and origins.
_CACHED = 256


class _Authority(NamedTuple):
    """A host in one spelling, and its port; the port is empty if it is a default one."""

    name: str
    port: str


class AllowedHosts:
    """The hosts that requests may name, as in `GATEWAY_ALLOWED_HOSTS`.

    A name without a port allows any port, `*.example.com` each name below example.com, `*` any.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        entries = tuple(entries)
        self._allows_any = "*" in entries
        self._suffixes = tuple(entry[1:].lower() for entry in entries if entry.startswith("*."))
        exact = [_read_authority(entry) for entry in entries if not entry.startswith("*")]
        self._exact = frozenset(entry for entry in exact if entry is not None)
        self._find = lru_cache(_CACHED)(self._search)

    def allows(self, host: str) -> bool:
        """Whether a request may have this `Host`."""
        return self._allows_any or (len(host) <= _LONGEST and self._find(host))

    def _search(self, host: str) -> bool:
        found = _read_authority(host)
        return found is not None and (
            not self._exact.isdisjoint((found, _Authority(found.name, "")))
            or found.name.endswith(self._suffixes)
        )


def is_own_origin(origin: str, host: str) -> bool:
    """Whether `Origin` names the host and the port of `Host`, by http or by https.

    A proxy in front may end TLS, so the schemes are not compared.
    """
    return len(origin) <= _LONGEST and len(host) <= _LONGEST and _is_own_origin(origin, host)


@lru_cache(_CACHED)
def _is_own_origin(origin: str, host: str) -> bool:
    scheme, _, authority = origin.partition("://")
    own, port = _read_authority(host), authority.rpartition(":")[2]
    # Browsers leave their default port out: one that is given is another port.
    is_other_port = port in _DEFAULT_PORTS and not host.endswith(f":{port}")
    is_same = own is not None and _read_authority(authority) == own
    return is_same and scheme in ("http", "https") and not is_other_port


def _read_authority(text: str) -> _Authority | None:
    """Returns a host and its port: in lower case, without a final dot, IPv6 in its short form."""
    parts = _AUTHORITY.fullmatch(text)
    if parts is None:
        return None
    name, port = parts[1].lower(), parts[2] or ""
    if name.startswith("["):
        try:
            name = f"[{IPv6Address(name[1:-1]).compressed}]"
        except AddressValueError:
            return None
    return _Authority(name.removesuffix("."), "" if port in _DEFAULT_PORTS else port)
