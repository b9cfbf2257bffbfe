"""What all connections of a process share: their number, for each peer too, and bytes in waiting.

A connection waits while its client has the next move: it is idle, its request is incomplete, or its
answer is not read.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from uvicorn.server import ServerState

from gateway.identity import peer_name

MAXIMUM_CONNECTIONS = 2048
# Beyond the maximum, these are accepted for health checks.
SPARE_CONNECTIONS = 32
# Of heads, bodies and pipelined requests until their answer, and of answers that are not read.
MAXIMUM_WAITING_BYTES = 64 * 1024 * 1024
QUIET_SECONDS = 60.0

log = logging.getLogger(__name__)


class OpenConnection(Protocol):
    """A connection, as the others see it."""

    def drop(self) -> None:
        """Ends it, to make room."""

    def close_after_answer(self) -> None:
        """Makes the answer in progress its last one."""


class Admission(Enum):
    """What a new connection may ask for."""

    ALL = auto()
    HEALTH_ONLY = auto()
    NOTHING = auto()


@dataclass(slots=True)
class Peer:
    """The connections of one address; the first of `waiting` has waited longest."""

    name: str
    count: int = 0
    waiting: OrderedDict[OpenConnection, None] = field(default_factory=OrderedDict)


@dataclass(slots=True)
class Member:
    """What is known of one connection; `size` is its bytes in waiting."""

    peer: Peer
    size: int = 0


class OccasionalWarning:
    """A warning that is logged at once, then at most once a minute, with the number of events."""

    def __init__(self, text: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._text = text
        self._clock = clock
        self._count = 0
        self._quiet_until = -float("inf")

    def count(self) -> None:
        """Counts one event; logs those since the last line if a line is due."""
        self._count += 1
        now = self._clock()
        if now >= self._quiet_until:
            log.warning(self._text, self._count)
            self._count, self._quiet_until = 0, now + QUIET_SECONDS


class ConnectionsState(ServerState):
    """The state that all connections of a process share.

    A peer has at most half of the `maximum`.
    """

    def __init__(
        self,
        maximum: int = MAXIMUM_CONNECTIONS,
        spare: int = SPARE_CONNECTIONS,
        maximum_bytes: int = MAXIMUM_WAITING_BYTES,
    ) -> None:
        super().__init__()
        self.is_draining = False
        self._maximum = maximum
        self._spare = spare
        self._maximum_of_peer = maximum // 2
        self._maximum_bytes = maximum_bytes
        self._bytes = 0
        self._peers: dict[str, Peer] = {}
        self._members: dict[OpenConnection, Member] = {}
        limits = f"limits: {maximum} in all, {self._maximum_of_peer} of one address"
        self._dropped = OccasionalWarning(f"%d waiting connections dropped for new ones ({limits})")
        self._refused = OccasionalWarning(f"%d connections refused: all others are busy ({limits})")
        self._relieved = OccasionalWarning(
            f"%d connections with the most bytes in waiting dropped (limit: {maximum_bytes} in all)"
        )

    def drain(self) -> None:
        """Makes each answer from now on the last of its connection (RFC 9112, 9.6)."""
        self.is_draining = True
        for connection in self._members:
            connection.close_after_answer()

    def admit(self, connection: OpenConnection, address: str) -> Admission:
        """Counts a new connection.

        If there are too many, the one that has waited longest is dropped for it: one of the same
        peer if that has too many, else of the peer with the most that wait. If none waits, the new
        one is for health checks.
        """
        name = peer_name(address) or address
        peer = self._peers.get(name)
        if peer is None:
            peer = self._peers[name] = Peer(name)
        peer.count += 1
        self._members[connection] = Member(peer)
        excess_of_peer = peer.count - self._maximum_of_peer
        excess = max(excess_of_peer, len(self._members) - self._maximum)
        admission = Admission.ALL
        if excess > 0:
            crowd = peer
            if excess_of_peer <= 0:
                crowd = max(self._peers.values(), key=lambda other: len(other.waiting))
            if crowd.waiting:
                self._dropped.count()
                self._drop(next(iter(crowd.waiting)))
            else:
                self._refused.count()
                is_spare = excess <= self._spare
                admission = Admission.HEALTH_ONLY if is_spare else Admission.NOTHING
        peer.waiting[connection] = None
        return admission

    def leave(self, connection: OpenConnection) -> None:
        """Forgets a connection that has ended, or is about to."""
        member = self._members.pop(connection, None)
        if member is not None:
            self._bytes -= member.size
            peer = member.peer
            peer.waiting.pop(connection, None)
            peer.count -= 1
            if not peer.count:
                del self._peers[peer.name]

    def note(self, connection: OpenConnection, is_waiting: bool, size: int) -> None:
        """Notes whether a connection waits for its client, and its bytes in waiting.

        Beyond the limit, waiting connections with the most bytes are dropped; if no other has any,
        this one is.
        """
        member = self._members.get(connection)
        if member is None:  # it has been dropped
            return
        if not is_waiting:
            member.peer.waiting.pop(connection, None)
        elif connection not in member.peer.waiting:
            member.peer.waiting[connection] = None
        growth = size - member.size
        member.size = size
        self._bytes += growth
        if growth > 0 and self._bytes > self._maximum_bytes:
            self._relieve(connection)

    def _relieve(self, newest: OpenConnection) -> None:
        waiting = [one for peer in self._peers.values() for one in peer.waiting]
        waiting.sort(key=lambda one: self._members[one].size)
        while self._bytes > self._maximum_bytes and waiting and self._members[waiting[-1]].size:
            self._relieved.count()
            self._drop(waiting.pop())
        if self._bytes > self._maximum_bytes:
            self._relieved.count()
            self._drop(newest)

    def _drop(self, connection: OpenConnection) -> None:
        self.leave(connection)
        connection.drop()
