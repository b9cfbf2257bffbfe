import time

import pytest

from gateway.clock import NonDecreasingClock


def test_time_follows_the_system_clock_forward_and_never_goes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall, steady = 1_800_000_000.0, 100.0
    monkeypatch.setattr(time, "time", lambda: wall)
    monkeypatch.setattr(time, "monotonic", lambda: steady)
    clock = NonDecreasingClock()
    assert clock() == wall
    wall, steady = wall + 1, steady + 1
    assert clock() == 1_800_000_001.0
    wall, steady = wall + 3600, steady + 1  # set forward
    assert clock() == 1_800_003_601.0
    wall, steady = wall - 7200, steady + 1  # set back
    assert clock() == 1_800_003_602.0
    wall, steady = wall + 1, steady + 1
    assert clock() == 1_800_003_603.0
