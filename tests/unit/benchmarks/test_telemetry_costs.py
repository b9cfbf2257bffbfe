"""The table of what telemetry costs."""

from benchmarks.telemetry import MEASURED, OPTIONS, WORKERS, Case, table


def test_table_compares_the_least_of_each_with_that_of_no_telemetry() -> None:
    times = {
        Case(work.name, workers, option): [60.0, 50.0 + 0.5 * number, 70.0]
        for work in MEASURED
        for workers in WORKERS
        for number, option in enumerate(OPTIONS)
    }
    lines = table(times)
    assert len(lines) == 2 + len(times)
    assert lines[2:4] == [
        "| the same page of 50 | 1 | off | 50.0 | 60.0 to 70.0 | 1.000 |",
        "| the same page of 50 | 1 | metrics, status page | 50.5 | 60.0 to 70.0 | 1.010 |",
    ]
    assert lines[-1].startswith("| a list of 20 ids, ids at random | 2 | all of it |")


def test_table_of_one_round_has_no_others() -> None:
    times = {
        Case(work.name, workers, option): [50.0]
        for work in MEASURED
        for workers in WORKERS
        for option in OPTIONS
    }
    assert table(times)[2] == "| the same page of 50 | 1 | off | 50.0 | – | 1.000 |"
