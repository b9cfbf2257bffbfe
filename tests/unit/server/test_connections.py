"""Which connection makes room for another: the state that they share, without a network."""

import pytest
from clock import Clock

from gateway.identity import peer_name
from gateway.server.connections import (
    SPARE_CONNECTIONS,
    Admission,
    ConnectionsState,
    OccasionalWarning,
)


class Fake:
    """A connection that only remembers its end."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.is_dropped = False
        self.is_last = False

    def __repr__(self) -> str:
        return self.name

    def drop(self) -> None:
        self.is_dropped = True

    def close_after_answer(self) -> None:
        self.is_last = True


def admitted(state: ConnectionsState, address: str, count: int) -> list[Fake]:
    """Connections of one peer, all of which are admitted."""
    found = [Fake(f"{address} {n}") for n in range(count)]
    assert {state.admit(one, address) for one in found} <= {Admission.ALL}
    return found


def busy(state: ConnectionsState, *some: Fake) -> None:
    for one in some:
        state.note(one, False, 0)


def dropped(*some: Fake) -> list[Fake]:
    return [one for one in some if one.is_dropped]


def test_peer_with_half_of_all_connections_loses_its_oldest_that_waits() -> None:
    state = ConnectionsState(8)
    mine, other = admitted(state, "a", 4), admitted(state, "b", 1)
    busy(state, mine[0])
    (newest,) = admitted(state, "a", 1)
    assert dropped(*mine, *other, newest) == [mine[1]]
    state.note(mine[0], True, 0)  # waits again: now it is the youngest
    later = admitted(state, "a", 3)
    assert dropped(*mine, *other, newest, *later) == [*mine[1:], newest]


def test_peer_with_most_waiting_connections_loses_one_when_all_are_taken() -> None:
    state = ConnectionsState(8)
    first, second, third = (admitted(state, name, n) for name, n in (("a", 3), ("b", 4), ("c", 1)))
    busy(state, *second[:3])
    (newest,) = admitted(state, "d", 1)
    assert dropped(*first, *second, *third, newest) == [first[0]]


def test_connections_that_leave_make_room() -> None:
    state = ConnectionsState(4)
    mine = admitted(state, "a", 2)
    for one in mine:
        state.leave(one)
        state.leave(one)  # after a drop, its end is the second time
    admitted(state, "a", 2)
    assert dropped(*mine) == []


def test_new_connection_is_for_health_checks_if_none_waits_and_refused_beyond_those() -> None:
    state = ConnectionsState(4)
    busy(state, *admitted(state, "a", 2), *admitted(state, "b", 2))
    spare = [Fake() for _ in range(SPARE_CONNECTIONS)]
    for n, one in enumerate(spare):
        assert state.admit(one, f"c{n}") is Admission.HEALTH_ONLY
        busy(state, one)
    assert state.admit(Fake(), "d") is Admission.NOTHING


def test_spare_connection_without_a_request_makes_room_for_the_next() -> None:
    state = ConnectionsState(4)
    busy(state, *admitted(state, "a", 2), *admitted(state, "b", 2))
    spare, next_one = Fake(), Fake()
    assert state.admit(spare, "c") is Admission.HEALTH_ONLY
    assert state.admit(next_one, "c") is Admission.ALL
    assert dropped(spare, next_one) == [spare]


def test_waiting_connections_with_the_most_bytes_are_dropped_beyond_the_limit() -> None:
    state = ConnectionsState(99, maximum_bytes=100)
    small, large, larger, at_work = admitted(state, "a", 4)
    for one, size in ((small, 10), (large, 30), (larger, 40)):
        state.note(one, True, size)
    state.note(at_work, False, 20)
    assert dropped(small, large, larger, at_work) == []
    state.note(small, True, 11)
    assert dropped(small, large, larger, at_work) == [larger]
    state.note(larger, True, 99)  # it is no longer counted
    state.note(small, True, 50)
    assert dropped(small, large, larger, at_work) == [larger]
    state.note(small, True, 81)
    assert dropped(small, large, larger, at_work) == [small, larger]


def test_connection_at_work_is_dropped_if_no_other_has_bytes() -> None:
    state = ConnectionsState(99, maximum_bytes=100)
    first, second, _ = admitted(state, "a", 3)
    state.note(first, False, 100)
    state.note(first, False, 90)
    state.note(second, False, 11)
    assert dropped(first, second) == [second]
    state.note(first, False, 100)
    assert dropped(first) == []


def test_drain_makes_answers_the_last() -> None:
    state = ConnectionsState()
    (one,) = admitted(state, "a", 1)
    state.drain()
    assert (one.is_last, state.is_draining) == (True, True)


def test_warning_is_logged_once_a_minute_with_the_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    warning = OccasionalWarning("%d were dropped", clock)
    for _ in range(3):
        warning.count()
    clock.advance(59)
    warning.count()
    assert caplog.messages == ["1 were dropped"]
    clock.advance(1)
    warning.count()
    assert caplog.messages == ["1 were dropped", "4 were dropped"]


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_peer_is_an_address_or_the_64_bits_of_a_network(address: str, peer: str) -> None:
    assert peer_name(address) == peer
