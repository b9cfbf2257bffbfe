import signal

import pytest

from gateway.lifecycle import Stage
from gateway.server.signals import stage_after

TERM, INT = signal.SIGTERM, signal.SIGINT


@pytest.mark.parametrize(
    ("signals", "stages"),
    [
        ([TERM, TERM, TERM], [Stage.DRAINING, Stage.STOPPING, Stage.STOPPING]),
        ([INT, INT, INT], [Stage.STOPPING, Stage.FORCED, Stage.FORCED]),
        ([TERM, INT, INT], [Stage.DRAINING, Stage.STOPPING, Stage.FORCED]),
        ([INT, TERM, INT], [Stage.STOPPING, Stage.STOPPING, Stage.FORCED]),
    ],
)
@pytest.mark.parametrize("start", [Stage.STARTING, Stage.RUNNING])
def test_each_signal_leads_to_a_stage(
    signals: list[int], stages: list[Stage], start: Stage
) -> None:
    stage, found = start, []
    for number in signals:
        stage = stage_after(stage, number)
        found.append(stage)
    assert found == stages


def test_second_sigterm_ends_the_closing_stage_too() -> None:
    assert stage_after(Stage.CLOSING, TERM) is Stage.STOPPING
