"""Which traces are sampled, known before a span is made: a span takes longer than an answer."""

import re
from typing import Final

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Sampler, TraceIdRatioBased

# The samplers that decide by the trace id, and otherwise as the parent did.
USUAL_SAMPLER: Final = re.compile(
    r"ParentBased\{root:(?:(AlwaysOn)Sampler|(AlwaysOff)Sampler|TraceIdRatioBased\{(.+?)\}),"
    r"remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,.*"
)


class TraceIds(RandomIdGenerator):
    """The ids of new traces; `drawn`, if there is one, is that of the next."""

    drawn: int | None = None

    def generate_trace_id(self) -> int:
        """Returns the id of a new trace."""
        drawn, self.drawn = self.drawn, None
        return super().generate_trace_id() if drawn is None else drawn


def sampled_below(sampler: Sampler) -> int | None:
    """Returns the number below which the last 64 bits of a sampled trace id are.

    None for a sampler that does not decide new traces by their ids, and others as the parent did.
    """
    usual = USUAL_SAMPLER.fullmatch(sampler.get_description())
    if usual is None:
        return None
    always, never, ratio = usual.groups()
    return TraceIdRatioBased.get_bound_for_rate(1.0 if always else 0.0 if never else float(ratio))
