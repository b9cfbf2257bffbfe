"""The lists of hosts and of origins: each is checked, and becomes text without white space."""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

NAME = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
PORT = r"(?::[1-9][0-9]{0,4})?"
IPV6 = r"\[(?P<address>[0-9A-Fa-f:.]+)\]"
ALLOWED_HOST = re.compile(rf"\*|\*\.{NAME}|(?:{NAME}|{IPV6}){PORT}")
ORIGIN = re.compile(rf"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:{NAME}|{IPV6})(?P<port>{PORT})")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def _check_hosts(text: str) -> str:
    hosts = [part.strip() for part in text.split(",")]
    for host in hosts:
        parts = ALLOWED_HOST.fullmatch(host)
        if parts is None or not _is_ipv6(parts["address"]):
            raise ValueError(
                "It has to be hosts without scheme and path, separated by commas, such as "
                "localhost,127.0.0.1,[::1] or shop.example,*.shop.example; * allows any"
            )
    return ",".join(hosts)


def _check_origins(text: str) -> str:
    origins = [part.strip() for part in text.split(",")]
    for origin in origins:
        parts = ORIGIN.fullmatch(origin)
        # What browsers never send would allow nothing.
        if (
            parts is None
            or origin != origin.lower()
            or parts["port"] == DEFAULT_PORTS.get(parts["scheme"], "none")
            or not _is_ipv6(parts["address"])
        ):
            raise ValueError(
                "It has to be origins as browsers send them, separated by commas, such as "
                "https://shop.example or http://localhost:3000: in lower case, with a scheme, "
                "without a path, a final slash or the scheme's own port; * and null are refused"
            )
    return ",".join(origins)


def _is_ipv6(address: str | None) -> bool:
    """Whether this is an address of IPv6, or none is given."""
    try:
        return address is None or bool(IPv6Address(address))
    except AddressValueError:
        return False


AllowedHosts: TypeAlias = Annotated[str, AfterValidator(_check_hosts)]
Origins: TypeAlias = Annotated[str, AfterValidator(_check_origins)]
