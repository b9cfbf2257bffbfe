"""Asks at a steady rate, whatever comes back, and counts what did.

The load is open: a request leaves when it is due, however slow the others are, and its time counts
from then. A query is sent by GET, which HTTP lets clients send again where the connection broke
before any of the answer came (RFC 9110, 9.2.2): as browsers do, once.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from benchmarks.chaos.http import Answer, BrokenConnection, Client
from benchmarks.chaos.queries import Answered, Query


@dataclass
class Tally:
    """What became of the requests of one scenario; `outcomes` are counted in words."""

    outcomes: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    error_milliseconds: list[float] = field(default_factory=list)
    sent_again: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many were sent, each counted once."""
        return self.outcomes.total()

    def count(self, outcome: str, milliseconds: float, example: str = "") -> None:
        """Counts one request."""
        self.outcomes[outcome] += 1
        self.milliseconds.append(milliseconds)
        if outcome not in ("fresh", "stale", "stale on error"):
            self.error_milliseconds.append(milliseconds)
            if len(self.examples) < 5:
                self.examples.append(f"{outcome}: {example[:300]}")


async def put_under_load(
    tally: Tally, port: int, queries: Sequence[Query], *, rate: float, seconds: float
) -> None:
    """Sends `rate` requests a second for so long, and waits for the last answer."""
    loop = asyncio.get_running_loop()
    client = Client(port)
    start = loop.time()
    asking = []
    for number in range(int(rate * seconds)):
        due = start + number / rate
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        query = queries[number % len(queries)]
        asking.append(asyncio.create_task(_ask(tally, client, query, due)))
    await asyncio.gather(*asking)
    client.close()


async def _ask(tally: Tally, client: Client, query: Query, due: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        answer = await _get(tally, client, query)
    except BrokenConnection as error:
        tally.count("no answer", (loop.time() - due) * 1000, str(error))
        return
    milliseconds = (loop.time() - due) * 1000
    tally.count(outcome_of(answer, query), milliseconds, answer.body.decode(errors="replace"))


async def _get(tally: Tally, client: Client, query: Query) -> Answer:
    try:
        return await client.get(query.document)
    except BrokenConnection:
        tally.sent_again += 1
        return await client.get(query.document)


def outcome_of(answer: Answer, query: Query) -> str:
    """Returns in words what an answer is: fresh, stale, stale on error, an error's code, wrong."""
    if answer.status != 200:
        return f"status {answer.status}"
    body: Answered = msgspec.json.decode(answer.body)
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    if not query.is_right(body["data"]):
        return "wrong"
    cache = body.get("extensions", {}).get("cache", {})
    if "error" in cache:
        return "stale on error"
    return "stale" if cache.get("stale") else "fresh"
