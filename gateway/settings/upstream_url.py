"""The address of the upstream: what the client can use, and what stays on this machine.

No message repeats any part of an address: it may hold a password that somebody put there.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

# RFC 3986, 3, without what a base URL has no use for.
BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^][/:]+|\[[^][/]+\])(?::(?P<port>[0-9]{1,5}))?(?P<path>/.*)?",
    re.IGNORECASE,
)
# RFC 1123, 2.1, and the underscores of Compose. No xn--: httpx decodes such names, and fails at
# those that IDNA 2008 does not know.
LABEL = r"(?!xn--)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?:{LABEL}\.)*{LABEL}\.?", re.IGNORECASE)
LONGEST_NAME = 253
HIGHEST_PORT = 65535


def checked_base_url(url: str) -> str:
    """Returns the URL without slashes at its end.

    Raises `ValueError` with a clause that says what it has to be.
    """
    if not {"?", "#", "@"}.isdisjoint(url):
        raise ValueError("it must not hold credentials, a query or a fragment")
    parts = BASE_URL.fullmatch(url)
    is_visible = url.isascii() and url.isprintable() and " " not in url
    if parts is None or not is_visible or not is_host(_without_brackets(parts["host"])):
        raise ValueError("it has to be a URL such as https://api.bigcommerce.com")
    if not 0 < int(parts["port"] or 443) <= HIGHEST_PORT:
        raise ValueError(f"its port has to be a number from 1 to {HIGHEST_PORT}")
    if "/stores/" in f"{parts['path']}/":
        raise ValueError(
            "the store's own path, /stores/…, does not belong here; the hash goes into "
            "GATEWAY_STORE_HASH"
        )
    return url.rstrip("/")


def plain_http_host(url: str) -> str | None:
    """Returns the host of a checked URL in lower case, None where the scheme is https."""
    parts = BASE_URL.fullmatch(url)
    if parts is None or parts["scheme"].lower() == "https":
        return None
    return _without_brackets(parts["host"]).lower()


def is_host(text: str) -> bool:
    """Tells whether this is a bare host: a name in ASCII, or an IP address without brackets."""
    if _ip_address(text) is not None:
        return True
    # A name that ends in a number would be taken for an IPv4 address.
    ends_in_a_number = text.rstrip(".").rpartition(".")[2].isdigit()
    return bool(NAME.fullmatch(text)) and len(text) <= LONGEST_NAME and not ends_in_a_number


def is_loopback(host: str) -> bool:
    """Tells whether what is sent to this host stays on this machine."""
    address = _ip_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _without_brackets(host: str) -> str:
    """Returns the host of a URL; around what is not IPv6 brackets stay, and make it no host."""
    return host[1:-1] if host.startswith("[") and ":" in host else host


def _ip_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        # Without a zone (RFC 6874): each program writes it in another way.
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None
