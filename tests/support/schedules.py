"""Generated schedules: what clients ask, and what happens to the upstream in between."""

from dataclasses import replace

from direct_requests import CLIENTS, GRAPHQL_RESPONSE, JSON, Ask
from hypothesis import strategies as st
from operation_values import EDGES
from operations import operations
from twins import Change, Clamp, Fail, Invalidate, Step, Together, Wait

from gateway.emulator import Fault

# The defaults: fresh for 15 seconds, then stale for 60 more, then for 540 more if the upstream
# fails. 1 is less than a failure is remembered, 301 more than learned limits are.
_waits = st.sampled_from([16, 5, 30, 1, 20, 3, 14, 40, 76, 0, 301, 616]).map(Wait)
_failures = st.sampled_from(
    [
        Fail(Fault.SERVER_ERROR),
        Fail(None, seconds=30.0),  # longer than a request has
        Fail(None, seconds=2.0),  # longer than one with a stale value waits
        Fail(Fault.RATE_LIMITED),
        Fail(Fault.OVERLOADED),
        Fail(Fault.STATUS, status=403),
        Fail(Fault.STATUS, status=422),
        Fail(Fault.HTML),
        Fail(Fault.RESET),
        Fail(Fault.MISSING_ROW),
    ]
)
_changes = st.builds(
    Change,
    st.sampled_from(["delete", "insert", "rename", "move", "spoil"]),
    st.sampled_from(EDGES) | st.integers(0, 1000),
    st.sampled_from([1, 2, 6, 1, 30]),
)
_clamps = st.sampled_from([100, 250, 50]).map(Clamp)
# Most often time passes. A failure ends soon, or the rest of a schedule is all errors.
_events: st.SearchStrategy[Step] = st.one_of(
    _waits, _waits, _waits, st.just(Fail(None)), _failures, _changes, st.just(Invalidate()), _clamps
)
_clients = st.sampled_from(["all"] * 16 + [*CLIENTS])
_asks = st.builds(
    Ask,
    operations(),
    _clients,
    st.sampled_from(["POST", "POST", "POST", "GET"]),
    st.sampled_from([JSON, GRAPHQL_RESPONSE, "*/*", ""]),
    st.sampled_from([None, None, 2]),
    st.sampled_from([2, 3, 1]),
    st.sampled_from([True, True, False]),
)
MOST_STEPS = 8


@st.composite
def schedules(draw: st.DrawFn) -> list[Step]:
    """Steps, half of which ask some of a few requests again, as the same client or another one."""
    asks = draw(st.lists(_asks, min_size=1, max_size=5))
    steps: list[Step] = [*asks]
    if draw(st.booleans()):  # some requests come for the first time after others
        steps.insert(draw(st.integers(0, len(asks))), draw(_waits | _changes))
    for _ in range(draw(st.integers(0, MOST_STEPS))):
        steps.append(draw(_events))
        again = [_again(draw, asks) for _ in range(draw(st.sampled_from([1, 1, 1, 1, 3])))]
        steps.append(again[0] if len(again) == 1 else Together(tuple(again)))
    return steps


def _again(draw: st.DrawFn, asks: list[Ask]) -> Ask:
    ask = draw(st.sampled_from(asks))
    client = draw(st.sampled_from([ask.client] * 20 + [*CLIENTS]))
    return replace(ask, client=client, times=draw(st.sampled_from([2, 3, 1])))
