from gateway.server.pauses import Pauses


def test_pauses_grow_with_each_failure_up_to_half_a_minute() -> None:
    pauses = Pauses()
    assert [pauses.after_an_end(0, is_steady=False) for _ in range(9)] == [
        "another takes its place",
        "the next one starts in 1 s",
        "the next one starts in 2 s",
        "the next one starts in 4 s",
        "the next one starts in 8 s",
        "the next one starts in 16 s",
        "the next one starts in 30 s",
        "the next one starts in 30 s",
        "the next one starts in 30 s",
    ]


def test_a_pause_is_over_at_its_time() -> None:
    pauses = Pauses()
    assert pauses.is_over(0)
    for _ in range(3):
        pauses.after_an_end(100, is_steady=False)
    assert not pauses.is_over(101.9)
    assert pauses.is_over(102)


def test_a_worker_that_was_steady_ends_the_pauses() -> None:
    pauses = Pauses()
    for _ in range(5):
        pauses.after_an_end(100, is_steady=False)
    assert pauses.after_an_end(101, is_steady=True) == "another takes its place"
    assert (pauses.failures, pauses.is_over(101)) == (0, True)
