from gateway.lifecycle import Lifecycle, Stage


def test_a_process_begins_with_its_start() -> None:
    lifecycle = Lifecycle()
    assert lifecycle.stage is Stage.STARTING
    assert not lifecycle.is_ending


def test_no_stage_comes_back() -> None:
    lifecycle = Lifecycle()
    lifecycle.advance(Stage.DRAINING)
    lifecycle.advance(Stage.RUNNING)
    assert lifecycle.stage is Stage.DRAINING
    assert lifecycle.is_ending
