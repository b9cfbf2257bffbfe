"""What the control routes are sent and send, as JSON; a mistake in it gets one sentence."""

from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.emulator.faults import Fault, Rule
from gateway.emulator.latency import Latency
from gateway.emulator.lists import MAXIMUM_LIMIT, OverLimit, PastTheEnd
from gateway.emulator.rate_limit import LONGEST_WINDOW_MILLISECONDS, WindowCount
from gateway.emulator.seed import MAXIMUM_SEGMENTS

Body = TypeVar("Body", bound=Struct)


class RequestCounts(Struct):
    """What came since the start, or since the counts were set back."""

    total: int
    operations: dict[str, int]
    statuses: dict[str, int]
    windows: list[WindowCount]


class Rules(Struct, forbid_unknown_fields=True):
    """All rules; a `seed` makes what is drawn from now on the same each time."""

    rules: Annotated[list[Rule], Meta(max_length=1000)]
    seed: int | UnsetType = UNSET


class Manners(Struct, forbid_unknown_fields=True):
    """How the store behaves; in a change, what is to stay is not set."""

    latency: Latency | UnsetType = UNSET
    max_limit: Annotated[int, Meta(ge=1, le=MAXIMUM_LIMIT)] | UnsetType = UNSET
    over_limit: OverLimit | UnsetType = UNSET
    past_the_end: PastTheEnd | UnsetType = UNSET
    quota: Annotated[int, Meta(ge=0, le=1_000_000_000)] | UnsetType = UNSET
    window_ms: Annotated[int, Meta(ge=1, le=LONGEST_WINDOW_MILLISECONDS)] | UnsetType = UNSET
    segments: Annotated[int, Meta(ge=0, le=MAXIMUM_SEGMENTS)] | UnsetType = UNSET


class NewSegment(Struct, forbid_unknown_fields=True):
    """A segment that another app of the store makes."""

    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None


class ControlRefused(Exception):
    """A request to the control makes no sense; the message says what to send."""


SEND = {
    Rules: '{"rules": [{"fault": "status", "status": 503, "probability": 0.5, "times": 10}]}, '
    f"with the faults {', '.join(Fault)}",
    Manners: 'one or more of {"latency": {"kind": "uniform", "low": 0.05, "high": 0.5}, '
    '"max_limit": 250, "over_limit": "clamp", "past_the_end": "empty", "quota": 150, '
    '"window_ms": 30000, "segments": 120}',
    NewSegment: '{"name": "Gift shoppers", "description": null}',
}


def read_body(body: bytes, kind: type[Body]) -> Body:
    """Returns what a body says; raises `ControlRefused` if that is no `kind`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ControlRefused(f"{error}: send {SEND[kind]}.") from None
