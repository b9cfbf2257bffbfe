import socket

import pytest

from gateway.server import CannotListen, listen


def test_host_of_another_machine_is_refused_with_what_to_check() -> None:
    with pytest.raises(CannotListen) as caught:
        listen("192.0.2.1", 0)  # for documentation (RFC 5737): no machine has it
    assert str(caught.value) == (
        "cannot listen on http://192.0.2.1:0: cannot assign requested address. "
        "--host has to be an address of this machine, --port one that its user may take: "
        "those below 1024 are often kept for the system."
    )


def test_host_that_is_no_name_is_refused() -> None:
    with pytest.raises(
        CannotListen, match=r"^cannot listen on 'a\.\.b': it is no name of a host\.$"
    ):
        listen("a..b", 0)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no dual-stack IPv6")
@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_every_network_is_ipv4_and_ipv6(client: str) -> None:
    with listen("::", 0) as listener:
        port = listener.getsockname()[1]
        socket.create_connection((client, port), timeout=20).close()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no dual-stack IPv6")
def test_one_ipv6_address_is_no_other_address() -> None:
    with listen("::1", 0) as listener, pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=20)
