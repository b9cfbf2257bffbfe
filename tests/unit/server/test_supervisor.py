"""The supervisor under schedules: its workers are played, its clock is the test's."""

import signal

import pytest

from gateway.lifecycle import Stage
from gateway.server.serving import Manners
from gateway.server.supervisor import Supervisor

MANNERS = Manners(grace_seconds=30, drain_seconds=3)
STOP_SECONDS = 35.5  # drain, last connections, grace, last answers


class Played:
    """A worker that does what the test says."""

    ends = 0

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.exit_status: int | None = None
        self.said: Stage | None = None
        self.told: list[Stage] = []
        self.is_closed = False

    def beat(self) -> Stage | None:
        said, self.said = self.said, None
        return said

    def tell(self, stage: Stage) -> None:
        self.told.append(stage)

    def kill(self) -> None:
        self.exit_status = -signal.SIGKILL

    def close(self) -> None:
        self.is_closed = True


class Schedule:
    """A supervisor of workers that are played, in the order of their starts."""

    def __init__(self, count: int = 2, *, starts_fail: bool = False) -> None:
        self.all: list[Played] = []
        self.starts_fail = starts_fail
        self.supervisor = Supervisor(self.start, count, MANNERS)

    def start(self) -> Played:
        if self.starts_fail:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        self.all.append(Played(100 + len(self.all)))
        return self.all[-1]

    def at(self, now: float) -> bool:
        return self.supervisor.go_on(now)

    def signal(self, number: int, now: float) -> bool:
        self.supervisor.signals.append(number)
        return self.at(now)

    def all_beat(self, now: float) -> bool:
        for worker in self.all:
            if worker.exit_status is None:
                worker.said = Stage.RUNNING
        return self.at(now)

    @property
    def alive(self) -> list[int]:
        return [worker.pid for worker in self.all if worker.exit_status is None]


def serving(count: int = 2) -> Schedule:
    """Workers that serve since the time 0."""
    schedule = Schedule(count)
    schedule.at(0)
    schedule.all_beat(0)
    assert schedule.alive == [100 + n for n in range(count)]
    return schedule


def test_a_worker_that_dies_is_replaced_at_once(caplog: pytest.LogCaptureFixture) -> None:
    schedule = serving()
    schedule.all_beat(9)
    schedule.all[0].exit_status = -9
    assert schedule.at(9.1)
    assert schedule.alive == [101, 102]
    assert schedule.all[0].is_closed
    assert caplog.messages == ["worker 100 died (signal 9); another takes its place"]


def test_a_worker_that_is_silent_for_ten_seconds_is_killed_and_replaced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = serving()
    schedule.all[1].said = Stage.RUNNING
    schedule.at(9.9)
    assert schedule.alive == [100, 101]
    schedule.at(10)
    schedule.at(10.1)
    assert schedule.alive == [101, 102]
    assert caplog.messages == [
        "worker 100 hangs, and is killed",
        "worker 100 died (signal 9); another takes its place",
    ]


def test_a_worker_has_a_minute_to_start() -> None:
    schedule = Schedule(1)
    schedule.at(0)
    schedule.at(59.9)
    assert schedule.alive == [100]
    schedule.at(60)
    assert schedule.alive == []


def test_workers_that_die_again_and_again_start_one_at_a_time_after_growing_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = serving()
    for worker in schedule.all:
        worker.exit_status = 3
    schedule.at(1)
    assert schedule.alive == []
    schedule.at(1.9)
    assert schedule.alive == []
    schedule.at(2)
    assert schedule.alive == [102]
    schedule.all[2].exit_status = 3
    schedule.at(2.5)
    schedule.at(4.4)
    assert schedule.alive == []
    schedule.at(4.5)
    assert schedule.alive == [103]
    schedule.at(5)
    assert schedule.alive == [103]
    schedule.all_beat(6)  # it serves, so another may try
    assert schedule.alive == [103, 104]
    assert caplog.messages == [
        "worker 100 died (status 3); another takes its place",
        "worker 101 died (status 3); the next one starts in 1 s",
        "worker 102 died (status 3); the next one starts in 2 s",
    ]


def test_no_worker_that_can_start_ends_the_command(caplog: pytest.LogCaptureFixture) -> None:
    schedule = Schedule()
    assert schedule.at(0)
    schedule.all[0].exit_status = 1
    assert schedule.at(1)
    assert schedule.alive == [101]  # it may still come up
    schedule.all[1].exit_status = 1
    assert not schedule.at(2)
    assert not schedule.supervisor.is_clean
    assert caplog.messages[-1] == "no worker could start; the lines above say why"


def test_a_machine_without_room_for_a_process_is_asked_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = serving(1)
    schedule.all_beat(10)
    schedule.starts_fail = True
    schedule.all[0].exit_status = -9
    assert schedule.at(11)
    assert caplog.messages[-1] == (
        "no worker could be started (Resource temporarily unavailable); the next one starts in 1 s"
    )
    schedule.starts_fail = False
    assert schedule.at(11.9)
    assert schedule.alive == []
    assert schedule.at(12)
    assert schedule.alive == [101]


def test_sighup_replaces_one_worker_after_the_other() -> None:
    schedule = serving()
    schedule.signal(signal.SIGHUP, 1)
    assert schedule.alive == [100, 101, 102]
    assert schedule.all[0].told == []
    schedule.all_beat(2)
    assert schedule.all[0].told == [Stage.PARTING]
    schedule.all_beat(3)
    assert schedule.alive == [100, 101, 102]  # 101 waits for its turn
    schedule.all[0].exit_status = 0
    schedule.all_beat(4)
    assert schedule.alive == [101, 102, 103]
    schedule.all_beat(5)
    assert schedule.all[1].told == [Stage.PARTING]
    schedule.all[1].exit_status = 0
    for now in (6, 7, 8):
        assert schedule.all_beat(now)
    assert schedule.alive == [102, 103]
    assert schedule.all[2].told == schedule.all[3].told == []


def test_a_new_worker_that_cannot_start_leaves_the_old_ones_at_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    schedule = serving()
    schedule.signal(signal.SIGHUP, 1)
    schedule.all[2].exit_status = 1
    for now in (2, 3, 4):
        schedule.all_beat(now)
    assert schedule.alive == [100, 101]
    assert schedule.all[0].told == schedule.all[1].told == []
    assert caplog.messages == ["worker 102 could not start: the others are not replaced"]


def test_a_worker_that_dies_while_it_is_replaced_is_replaced_once() -> None:
    schedule = serving()
    schedule.signal(signal.SIGHUP, 1)
    schedule.all[0].exit_status = -9
    schedule.all_beat(2)
    schedule.all_beat(3)
    assert schedule.all[1].told == [Stage.PARTING]
    schedule.all[1].exit_status = 0
    schedule.all_beat(4)
    schedule.all_beat(5)
    assert schedule.alive == [102, 103]


def test_a_worker_that_asks_for_it_is_replaced_alone() -> None:
    schedule = serving()
    for now in (1, 2):  # it may ask twice
        schedule.all[1].said = Stage.DRAINING
        schedule.at(now)
    assert schedule.alive == [100, 101, 102]
    assert schedule.all[1].told == []
    schedule.all_beat(3)
    assert schedule.all[1].told == [Stage.PARTING]
    schedule.all[1].exit_status = 0
    for now in (4, 5, 6):
        schedule.all_beat(now)
    assert schedule.alive == [100, 102]
    assert schedule.all[0].told == []


def test_a_worker_that_leaves_may_be_silent_while_its_requests_are_finished() -> None:
    schedule = serving()
    schedule.signal(signal.SIGHUP, 0)
    schedule.all_beat(0)
    assert schedule.all[0].told == [Stage.PARTING]
    for now in range(1, 45):
        for worker in schedule.all[1:]:
            worker.said = Stage.RUNNING
        schedule.at(now)
    assert 100 in schedule.alive
    schedule.at(STOP_SECONDS + 10)
    assert 100 not in schedule.alive


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([signal.SIGTERM, signal.SIGTERM], [Stage.DRAINING, Stage.STOPPING]),
        ([signal.SIGINT, signal.SIGINT], [Stage.STOPPING, Stage.FORCED]),
    ],
)
def test_all_workers_are_told_of_the_end_side_by_side(
    numbers: list[int], told: list[Stage]
) -> None:
    schedule = serving()
    for number in numbers:
        assert schedule.signal(number, 1)
    assert [worker.told for worker in schedule.all] == [told, told]
    schedule.all[0].exit_status = 0
    assert schedule.at(2)
    schedule.all[1].exit_status = 0
    assert not schedule.at(3)
    assert schedule.supervisor.is_clean


def test_an_end_that_one_worker_did_not_come_to_cleanly_is_not_clean() -> None:
    schedule = serving()
    schedule.signal(signal.SIGTERM, 1)
    schedule.all[0].exit_status = 1
    schedule.all[1].exit_status = 0
    assert not schedule.at(2)
    assert not schedule.supervisor.is_clean


def test_a_worker_that_does_not_end_is_killed_after_its_time() -> None:
    schedule = serving(1)
    schedule.signal(signal.SIGTERM, 0)
    schedule.at(STOP_SECONDS + 9.9)
    assert schedule.alive == [100]
    schedule.at(STOP_SECONDS + 10)
    assert schedule.alive == []
    assert not schedule.at(STOP_SECONDS + 10.1)
    assert not schedule.supervisor.is_clean
