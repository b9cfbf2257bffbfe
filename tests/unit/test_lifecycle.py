from gateway.lifecycle import Lifecycle, Stage


def test_process_begins_in_the_stage_starting() -> None:
    lifecycle = Lifecycle()
    assert lifecycle.stage is Stage.STARTING
    assert not lifecycle.is_ending


def test_process_never_returns_to_an_earlier_stage() -> None:
    lifecycle = Lifecycle()
    lifecycle.advance(Stage.DRAINING)
    lifecycle.advance(Stage.RUNNING)
    assert lifecycle.stage is Stage.DRAINING
    assert lifecycle.is_ending
