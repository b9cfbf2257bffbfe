"""The times of answers at once: in plain numbers first, and in the histogram each second.

To observe a histogram for each of them would cost a twentieth of the answer and more.
"""

from bisect import bisect_left
from collections.abc import Sequence

from prometheus_client import Histogram

from gateway.instrumentation import QUERY


class TimesInBuckets:
    """How many times lie in each bucket, and their sum in seconds."""

    __slots__ = ("counts", "seconds")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.counts = [0] * (len(bounds) + 1)
        self.seconds = 0.0


class AnswersAtOnce:
    """The times of answers to queries, by the name of the operation.

    `histogram` has the labels type and name, and buckets with these upper `bounds`.
    """

    def __init__(self, histogram: Histogram, bounds: Sequence[float]) -> None:
        self._histogram = histogram
        self._bounds = bounds
        self._times: dict[str, TimesInBuckets] = {}
        histogram.labels(QUERY, "")  # it is there before the first answer

    def count(self, operation_name: str, seconds: float) -> None:
        """Counts an answer that took these seconds."""
        times = self._times.get(operation_name)
        if times is None:
            times = self._times[operation_name] = TimesInBuckets(self._bounds)
        times.counts[bisect_left(self._bounds, seconds)] += 1
        times.seconds += seconds

    def move(self) -> None:
        """Moves what was counted since the last time to the histogram."""
        counted, self._times = self._times, {}
        for name, times in counted.items():
            observe(self._histogram.labels(QUERY, name), times)


def observe(histogram: Histogram, times: TimesInBuckets) -> None:
    """Does as `Histogram.observe` for each of the times.

    The library observes one time at a call, and has no public way for several.
    """
    for bucket, number in zip(histogram._buckets, times.counts, strict=True):
        if number:
            bucket.inc(number)
    histogram._sum.inc(times.seconds)
