"""Queries at a steady rate, and their outcomes.

The load is open: a request leaves when it is due, however slow the others are, and its time counts
from then.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from benchmarks.chaos.client import Client, ConnectionBroken
from benchmarks.chaos.queries import Query

CONNECTIONS = 20
EXAMPLES = 3
FRESH, STALE, STALE_ON_ERROR = "fresh", "stale", "stale on error"
GOOD = (FRESH, STALE, STALE_ON_ERROR)
WRONG = "wrong"


@dataclass
class Tally:
    """The requests of one scenario, by outcome.

    `late_milliseconds` is how long after it was due each one left: the fault of the load itself.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    error_milliseconds: list[float] = field(default_factory=list)
    late_milliseconds: list[float] = field(default_factory=list)
    sent_again: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """The number of requests; one that was sent again counts once."""
        return self.outcomes.total()

    @property
    def failed(self) -> dict[str, int]:
        """The requests without data, by outcome."""
        return {what: n for what, n in sorted(self.outcomes.items()) if what not in GOOD}


def outcome_of(status: int, content: bytes, expected: Mapping[str, object]) -> str:
    """Returns one of `GOOD`, the code of the first error, `status N`, `WRONG` or "no age".

    Every field without an error has to be as expected.
    """
    if status != 200:
        return f"status {status}"
    try:
        body = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return WRONG
    data, errors = body.get("data"), body.get("errors", [])
    code = errors[0].get("extensions", {}).get("code", "no code") if errors else None
    if data is None:
        return code or WRONG
    failed = {error["path"][0] for error in errors if error.get("path")}
    if any(data.get(name) != right for name, right in expected.items() if name not in failed):
        return WRONG
    cache = body.get("extensions", {}).get("cache")
    if code is not None:
        return str(code)
    if cache is None:
        return "no age"
    return STALE_ON_ERROR if "error" in cache else STALE if cache["stale"] else FRESH


async def put_under_load(
    port: int, queries: Sequence[Query], *, rate: float, seconds: float
) -> Tally:
    """Sends `rate` requests a second, and waits for the last answer.

    A connection takes one request at a time: where answers are slow, more are opened.
    """
    loop, tally, client = asyncio.get_running_loop(), Tally(), Client(port)
    await client.open(CONNECTIONS)
    start = loop.time()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(rate * seconds)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - loop.time()))
            tasks.create_task(ask(tally, client, queries[number % len(queries)], due))
    client.close()
    return tally


async def ask(tally: Tally, client: Client, query: Query, due: float) -> None:
    """Sends a query that was due at this time of the event loop, and counts its outcome."""
    loop = asyncio.get_running_loop()
    tally.late_milliseconds.append((loop.time() - due) * 1000)
    content = b""
    try:
        answer = await client.get(query.path)
        content = answer.body
        tally.sent_again += answer.was_sent_again
        outcome = outcome_of(answer.status, content, query.expected)
    except ConnectionBroken as error:
        outcome = f"connection broken {error}"
    except TimeoutError:
        outcome = "no answer"
    except OSError:
        outcome = "no connection"
    milliseconds = (loop.time() - due) * 1000
    tally.outcomes[outcome] += 1
    tally.milliseconds.append(milliseconds)
    if outcome not in GOOD:
        tally.error_milliseconds.append(milliseconds)
        if len(tally.examples) < EXAMPLES:
            tally.examples.append(f"{outcome}: {content[:200].decode(errors='replace')}")
