"""A body of any shape is taken whole by the control routes, or refused without a change."""

import asyncio
import json
from copy import deepcopy

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from gateway.emulator import Emulator, Fault, create_emulator, seeded_store
from gateway.emulator.operation_names import OPERATION_NAMES

ROUTES = (("PUT", "faults"), ("PATCH", "behaviour"), ("POST", "segments"))
WORDS = [*Fault, "clamp", "refuse", "empty"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 700) | st.floats(-1, 700) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
RULES = st.fixed_dictionaries(
    {"fault": st.none() | st.sampled_from(WORDS)},
    optional={
        "status": st.integers(390, 610),
        "seconds": st.floats(-1, 700),
        "probability": st.floats(-0.5, 1.5),
        "times": st.integers(-1, 3),
        "operation": st.sampled_from([*OPERATION_NAMES, "boom"]),
    },
)
BEHAVIOUR = st.fixed_dictionaries(
    {},
    optional={
        "token_scope": st.none() | st.sampled_from(["store_v2_customers", "boom"]),
        "dialect": st.sampled_from(["2025", "2026", "2027"]),
        "forbidden_operations": VALUES | st.lists(st.sampled_from(OPERATION_NAMES), max_size=2),
        "profile_segment_rows": st.sampled_from(["segments", "ids", "boom"]),
        "max_batch": st.none() | st.integers(-1, 3),
        "latency_seconds": VALUES,
        "max_limit": st.integers(-1, 260),
        "over_limit": st.sampled_from(WORDS),
        "quota": st.integers(-5, 10),
        "window_ms": st.integers(-5, 10) | st.integers(86_399_990, 86_400_010),
        "segments": st.integers(-100, 1100),
    },
)
SEGMENT = st.fixed_dictionaries({"name": VALUES}, optional={"description": VALUES})
BODIES = st.binary(max_size=40) | (
    VALUES | BEHAVIOUR | SEGMENT | st.fixed_dictionaries({"rules": st.lists(RULES, max_size=2)})
).map(lambda value: json.dumps(value).encode())


def state(emulator: Emulator) -> object:
    window = emulator.window
    rules = (emulator.max_limit, emulator.over_limit, emulator.past_the_end)
    numbers = (emulator.latency_seconds, window.quota, window.window_ms, emulator.max_batch)
    refused = (emulator.token_scope, emulator.forbidden_operations)
    answers = (emulator.dialect, emulator.profile_segment_rows, refused)
    return deepcopy((emulator.faults.rules, emulator.store, rules, numbers, answers))


async def send(route: tuple[str, str], body: bytes) -> None:
    app = create_emulator(seeded_store(3, 9), control=True)
    transport = httpx.ASGITransport(app)
    before = state(app.state.emulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        answer = await client.request(route[0], f"/_emulator/{route[1]}", content=body)
    if answer.status_code == 422:
        assert [*answer.json()] == ["error"]
        assert state(app.state.emulator) == before
    else:
        assert answer.status_code == (201 if route[0] == "POST" else 204)


@settings(max_examples=examples(200))
@given(route=st.sampled_from(ROUTES), body=BODIES)
def test_any_body_is_taken_whole_or_refused_without_a_change(
    route: tuple[str, str], body: bytes
) -> None:
    asyncio.run(send(route, body))
