"""Whatever the control routes are sent, they answer in JSON, and a refusal changes nothing."""

import asyncio
import json

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from examples import examples
from gateway.emulator import Fault, create_emulator, seeded_store

ROUTES = (("PUT", "faults"), ("PATCH", "manners"), ("POST", "segments"))
KEYS = [
    *("rules", "fault", "status", "seconds", "probability", "times", "seed"),
    *("latency", "kind", "low", "high", "median", "sigma"),
    *(
        "max_limit",
        "over_limit",
        "past_the_end",
        "quota",
        "window_ms",
        "segments",
        "name",
        "description",
    ),
]
WORDS = [*Fault, "constant", "uniform", "lognormal", "clamp", "refuse", "empty"]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 700)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(WORDS)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)
RULES = st.fixed_dictionaries(
    {"fault": st.sampled_from(WORDS[: len(Fault)])},
    optional={
        "status": st.integers(390, 610),
        "seconds": st.floats(-1, 700),
        "probability": st.floats(-0.5, 1.5),
        "times": st.integers(-1, 3),
    },
)
MANNERS = st.fixed_dictionaries(
    {},
    optional={
        "latency": st.fixed_dictionaries(
            {"kind": st.just("uniform"), "low": st.integers(0, 9), "high": st.integers(0, 9)}
        ),
        "max_limit": st.integers(-1, 260),
        "over_limit": st.sampled_from(WORDS),
        "quota": st.integers(-5, 10),
        "window_ms": st.integers(-5, 10) | st.integers(86_399_990, 86_400_010),
        "segments": st.integers(-100, 1100),
    },
)
BODIES = st.binary(max_size=40) | (
    VALUES | MANNERS | st.fixed_dictionaries({"rules": st.lists(RULES, max_size=2)})
).map(lambda value: json.dumps(value).encode())


async def ask(app: Starlette, method: str, path: str, body: bytes = b"") -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        return await client.request(method, f"/_emulator/{path}", content=body)


async def send(route: tuple[str, str], body: bytes) -> None:
    app = create_emulator(seeded_store(3), control=True)
    emulator = app.state.emulator

    async def state() -> list[bytes]:
        return [(await ask(app, "GET", path)).content for path in ("faults", "manners")]

    before = await state()
    answer = await ask(app, *route, body)
    if answer.status_code == 422:
        assert [*answer.json()] == ["error"]
        assert await state() == before
        assert emulator.store.segments == seeded_store(3).segments
    else:
        assert answer.status_code == (201 if route[0] == "POST" else 200)
    if answer.status_code == 200:
        # What is answered is what is shown, and may be sent again.
        shown = await ask(app, "GET", route[1])
        assert shown.content == answer.content
        assert (await ask(app, *route, shown.content)).content == answer.content


@settings(max_examples=examples(200))
@given(route=st.sampled_from(ROUTES), body=BODIES)
def test_any_body_is_taken_whole_or_refused_with_a_sentence(
    route: tuple[str, str], body: bytes
) -> None:
    asyncio.run(send(route, body))
