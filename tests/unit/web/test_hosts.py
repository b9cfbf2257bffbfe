import pytest

from gateway.web.hosts import AllowedHosts, is_own_origin

LOOPBACK = AllowedHosts(["localhost", "127.0.0.1", "[::1]"])


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "localhost:",
        "LOCALHOST:8000",
        "localhost.",
        "localhost.:8000",
        "127.0.0.1:8000",
        "[::1]",
        "[::1]:8000",
        "[0:0:0:0:0:0:0:1]:8000",
    ],
)
def test_loopback_has_several_spellings(host: str) -> None:
    assert LOOPBACK.allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "localhost..",
        "sub.localhost",
        "127.0.0.1.nip.io",
        "127.1",
        "0.0.0.0:8000",
        # An address of its own for browsers, though a socket of IPv4 takes it.
        "[::ffff:127.0.0.1]",
        "[::1",
        "::1",
        "[1::1::1]",
        "[::1%25lo]",
        "user@localhost",
        "localhost:80a",
        "localhost,evil.example",
        "",
        "a" * 64_000,
    ],
)
def test_other_hosts_are_not_allowed(host: str) -> None:
    assert not LOOPBACK.allows(host)


def test_wildcard_allows_names_below_it_alone() -> None:
    hosts = AllowedHosts(["*.Shop.example"])
    assert hosts.allows("eu.shop.example:8000")
    assert hosts.allows("a.b.SHOP.example.")
    assert not hosts.allows("shop.example")
    assert not hosts.allows("evilshop.example")
    assert not hosts.allows("eu.shop.example.evil")


def test_host_with_a_port_allows_that_port_alone() -> None:
    hosts = AllowedHosts(["shop.example:8443"])
    assert hosts.allows("shop.example:8443")
    assert not hosts.allows("shop.example")
    assert not hosts.allows("shop.example:8444")


def test_star_allows_any_host() -> None:
    assert AllowedHosts(["*"]).allows("anything at all" * 100)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("http://[::1]:8000", "[0::1]:8000"),
        ("http://shop.example", "shop.example"),
        ("http://shop.example", "SHOP.example:80"),
        # A proxy in front ends TLS.
        ("https://shop.example", "shop.example"),
        ("https://shop.example", "shop.example:443"),
        ("https://shop.example", "shop.example:80"),
        ("https://shop.example:8443", "shop.example:8443"),
    ],
)
def test_own_origin_has_the_host_and_the_port_of_host(origin: str, host: str) -> None:
    assert is_own_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "null"),
        ("", ""),
        ("http://", ""),
        ("http://localhost:3000", "localhost:8000"),
        ("http://localhost", "localhost:8000"),
        ("http://127.0.0.1:8000", "localhost:8000"),
        ("https://shop.example.evil", "shop.example"),
        ("https://evil.example", "shop.example"),
        ("chrome-extension://shop.example", "shop.example"),
        ("shop.example", "shop.example"),
        ("https://shop.example/", "shop.example"),
        ("https://user@shop.example", "shop.example"),
        ("https://shop.example", "shop.example/"),
        ("https://" + "a" * 64_000, "a" * 64_000),
    ],
)
def test_other_origins_are_foreign(origin: str, host: str) -> None:
    assert not is_own_origin(origin, host)
