"""How long answers take: one number, or a distribution of them. Everything is in seconds."""

from math import exp, log
from random import Random
from typing import Annotated

from msgspec import Meta, Struct

MAXIMUM_SECONDS = 600.0

Seconds = Annotated[float, Meta(ge=0, le=MAXIMUM_SECONDS)]
Median = Annotated[float, Meta(gt=0, le=MAXIMUM_SECONDS)]
Sigma = Annotated[float, Meta(ge=0, le=10)]


class Constant(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="constant"):
    """Each answer takes as long."""

    seconds: Seconds

    def draw(self, _random: Random) -> float:
        """Returns the seconds of one answer."""
        return self.seconds


class Uniform(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="uniform"):
    """From `low` to `high`, each as likely; raises `ValueError` where `low` is the larger one."""

    low: Seconds
    high: Seconds

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("`low` must not be above `high`")

    def draw(self, random: Random) -> float:
        """Returns the seconds of one answer."""
        return random.uniform(self.low, self.high)


class Lognormal(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lognormal"):
    """Half of the answers take less than `median`, a few much longer: the more, the larger `sigma`.

    None takes longer than `MAXIMUM_SECONDS`.
    """

    median: Median
    sigma: Sigma

    def draw(self, random: Random) -> float:
        """Returns the seconds of one answer."""
        logarithm = random.normalvariate(log(self.median), self.sigma)
        return exp(min(logarithm, log(MAXIMUM_SECONDS)))


Latency = Constant | Uniform | Lognormal


def as_latency(latency: float | Latency) -> Latency:
    """Returns a number of seconds as the distribution that it is."""
    return latency if isinstance(latency, Latency) else Constant(latency)
