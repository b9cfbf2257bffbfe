from ipaddress import ip_network

import pytest
from starlette.types import Scope

from gateway.web.authentication import Peers

PROXIES = Peers([ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")])


def request(peer: str | None, *forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    client = None if peer is None else (peer, 4711)
    return {"type": "http", "headers": headers, "client": client}


@pytest.mark.parametrize(
    ("peer", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a socket", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_peer_is_its_address_and_of_ipv6_its_64_bits(peer: str | None, name: str) -> None:
    assert Peers().name_of(request(peer)) == name


def test_forwarded_for_of_anybody_else_is_ignored() -> None:
    assert Peers().name_of(request("10.0.0.1", "192.0.2.9")) == "10.0.0.1"
    assert PROXIES.name_of(request("192.0.2.1", "192.0.2.9")) == "192.0.2.1"
    assert PROXIES.name_of(request(None, "192.0.2.9")) == "unknown"


@pytest.mark.parametrize(
    ("peer", "forwarded", "name"),
    [
        ("10.0.0.1", ["192.0.2.9"], "192.0.2.9"),
        ("::ffff:10.0.0.1", ["192.0.2.9"], "192.0.2.9"),
        ("2001:db8:ffff::1", ["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        # What the client itself has sent stands on the left.
        ("10.0.0.1", ["127.0.0.1, 192.0.2.9"], "192.0.2.9"),
        ("10.0.0.1", ["10.9.9.9, 192.0.2.9, 10.0.0.2"], "192.0.2.9"),
        ("10.0.0.1", ["127.0.0.1", "192.0.2.9"], "192.0.2.9"),
        # All of them are proxies: the first one is the client.
        ("10.0.0.1", ["10.0.0.3,10.0.0.2"], "10.0.0.3"),
        # With ports, as Azure's gateways write it.
        ("10.0.0.1", ["192.0.2.9:50123"], "192.0.2.9"),
        ("10.0.0.1", ["[2001:db8:1:2::9]:443"], "2001:db8:1:2::/64"),
        # What is left of a malformed entry may be invented.
        ("10.0.0.1", ["192.0.2.9, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.9, garbage, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [","], "10.0.0.1"),
        ("10.0.0.1", ["é" * 10_000], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.9" + "0" * 100], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
    ],
)
def test_forwarded_for_of_a_trusted_proxy_is_read_from_the_right(
    peer: str, forwarded: list[str], name: str
) -> None:
    assert PROXIES.name_of(request(peer, *forwarded)) == name


def test_only_the_last_16_proxies_are_followed() -> None:
    chain = [f"10.1.0.{n}" for n in range(16)]
    assert PROXIES.name_of(request("10.0.0.1", ",".join(["192.0.2.9", *chain]))) == "10.1.0.0"
    assert PROXIES.name_of(request("10.0.0.1", ",".join(["192.0.2.9", *chain[1:]]))) == "192.0.2.9"
