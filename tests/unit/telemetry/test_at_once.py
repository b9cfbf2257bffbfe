"""Answers that are counted in plain numbers are in the histogram as if each was observed."""

from random import Random

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from gateway.telemetry.at_once import AnswersAtOnce
from gateway.telemetry.metrics import ANSWER_BUCKETS


def shown(registry: CollectorRegistry, part: bytes = b"") -> list[bytes]:
    """Returns the lines of all samples but the time of their creation."""
    lines = generate_latest(registry).splitlines()
    return [line for line in lines if b"_created" not in line and part in line]


def new_histogram() -> tuple[CollectorRegistry, Histogram]:
    registry = CollectorRegistry()
    histogram = Histogram("a", "b", ["type", "name"], buckets=ANSWER_BUCKETS, registry=registry)
    return registry, histogram


def test_moved_times_are_the_same_as_observed_ones() -> None:
    moved, histogram = new_histogram()
    observed, other = new_histogram()
    at_once = AnswersAtOnce(histogram, ANSWER_BUCKETS)
    other.labels("query", "")
    random = Random(1)
    for _ in range(3):
        at_once.move()
        assert shown(moved) == shown(observed)
        drawn = [random.choice([1 / 2048, 1 / 64, 1.0, 4.0, 1024.0]) for _ in range(50)]
        # Bounds themselves, and powers of two, whose sums are exact in any order.
        for seconds in [0.25, 0.5, *drawn]:
            name = random.choice(["", "Page"])
            at_once.count(name, seconds)
            other.labels("query", name).observe(seconds)
        assert shown(moved) != shown(observed)
    for bound in ANSWER_BUCKETS:
        at_once.count("", bound)
        other.labels("query", "").observe(bound)
    at_once.move()
    assert shown(moved, b"_bucket") == shown(observed, b"_bucket")
