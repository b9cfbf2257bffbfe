"""Who sent a request, and what that client may read."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address, ip_network

from gateway.errors import Forbidden


class AccessScope(StrEnum):
    """A permission of a client, as in the `scope` of a token (RFC 6749, 3.3)."""

    SEGMENTS_READ = "segments:read"
    PROFILES_READ = "profiles:read"
    SEGMENTS_WRITE = "segments:write"
    PROFILES_WRITE = "profiles:write"
    FEDERATION = "federation"
    """`_entities` and `_service`, for routers and composers."""
    METRICS = "metrics"


ALL_SCOPES = frozenset(AccessScope)
# What the names of clients without credentials begin with.
PEER = "peer:"


@dataclass(frozen=True, slots=True)
class Client:
    """A client: its share of the store's quota goes by `name`, its permissions by `scopes`.

    The name is `key:<name>` for an API key, `token:<subject>` for a JWT, and `peer:<address>`
    without either.
    """

    name: str
    scopes: frozenset[AccessScope]

    @property
    def is_anonymous(self) -> bool:
        """Whether the client has sent no credentials."""
        return self.name.startswith(PEER)

    def refusal(self, scope: AccessScope, what: str = "This") -> Forbidden | None:
        """The error in place of what needs the scope; None if the client has it."""
        if scope in self.scopes:
            return None
        return Forbidden(
            f"{what} needs the scope `{scope}`, which the client does not have. Send a key or a "
            "token that has it."
        )


@lru_cache(maxsize=1024)
def peer_name(address: str) -> str:
    """Returns the name of the peer with an address; an empty string if it is no address.

    Of IPv6 it is the /64, all of which one host may have (RFC 6177). `::` listens for IPv4 too,
    whose peers are then ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2).
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(found if found.version == 4 else ip_network((int(found) >> 64 << 64, 64)))
