"""The address of the peer of a connection, or of the client that a trusted proxy names."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

from gateway.identity import peer_name

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

UNKNOWN = "unknown"
# Proxies in a row that are followed in `X-Forwarded-For`.
MAXIMUM_PROXIES = 16
# Of an entry: more is no address, and would only fill the caches below.
MAXIMUM_CHARACTERS = 64


class Peers:
    """Names the peer of a request; `X-Forwarded-For` counts only from `proxies`."""

    def __init__(self, proxies: Sequence[Network] = ()) -> None:
        self._proxies = tuple(proxies)

    def name_of(self, scope: Scope) -> str:
        """Returns the address of the client, of IPv6 its /64; `unknown` without an address."""
        client = scope.get("client")
        host: str = client[0] if client else ""
        if not self._proxies:
            return peer_name(host) or UNKNOWN
        # Each proxy appends the address that it was called from; what stands before the entry of
        # the first one that is not trusted may be invented.
        forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
        entries = forwarded.rsplit(",", MAXIMUM_PROXIES)[-MAXIMUM_PROXIES:] if forwarded else []
        for entry in reversed(entries):
            if not self._is_proxy(host) or _address(_without_port(entry)) is None:
                break
            host = _without_port(entry)
        return peer_name(host) or UNKNOWN

    def _is_proxy(self, host: str) -> bool:
        address = _address(host)
        return address is not None and any(address in network for network in self._proxies)


def _without_port(entry: str) -> str:
    """Returns the address of an entry such as `10.0.0.1:4711` or `[2001:db8::1]:4711`."""
    entry = entry.strip()[:MAXIMUM_CHARACTERS]
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    host, separator, _ = entry.partition(":")
    return host if separator and entry.count(":") == 1 else entry


@lru_cache(maxsize=1024)
def _address(host: str) -> Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    # `::` listens for IPv4 too, whose peers are then ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2).
    return getattr(address, "ipv4_mapped", None) or address
