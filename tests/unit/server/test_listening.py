import pytest

from gateway.server import CannotListen, listen


def test_a_host_that_is_not_this_machine_s_is_told_with_what_to_check() -> None:
    with pytest.raises(CannotListen) as caught:
        listen("192.0.2.1", 0)  # for documentation (RFC 5737): no machine has it
    assert str(caught.value) == (
        "cannot listen on http://192.0.2.1:0: cannot assign requested address. "
        "--host has to be an address of this machine, --port one that its user may take: "
        "those below 1024 are often kept for the system."
    )


def test_a_host_that_is_no_name_is_told() -> None:
    with pytest.raises(
        CannotListen, match=r"^cannot listen on 'a\.\.b': it is no name of a host\.$"
    ):
        listen("a..b", 0)
