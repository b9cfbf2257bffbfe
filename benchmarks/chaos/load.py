"""Asks at a steady rate, whatever comes back, and counts what did.

The load is open: a request leaves when it is due, however slow the others are, and its time counts
from then. A query is sent by GET, which HTTP lets clients send again where the connection broke
before any of the answer came (RFC 9110, 9.2.2): as browsers do, once.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import msgspec

from benchmarks.chaos.queries import Answered, Query

CONNECTIONS = 500


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
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=60, trust_env=False
    ) as http:
        start = loop.time()
        asking = []
        for number in range(int(rate * seconds)):
            due = start + number / rate
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            query = queries[number % len(queries)]
            asking.append(asyncio.create_task(_ask(tally, http, query, due)))
        await asyncio.gather(*asking)


async def _ask(tally: Tally, http: httpx.AsyncClient, query: Query, due: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        answer = await _get(tally, http, query)
    except httpx.HTTPError as error:
        tally.count(f"no answer: {type(error).__name__}", (loop.time() - due) * 1000, repr(error))
        return
    milliseconds = (loop.time() - due) * 1000
    outcome = outcome_of(answer.status_code, answer.content, query)
    tally.count(outcome, milliseconds, answer.text)


async def _get(tally: Tally, http: httpx.AsyncClient, query: Query) -> httpx.Response:
    try:
        return await http.get("/graphql", params={"query": query.document})
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.ConnectError):
        tally.sent_again += 1
        return await http.get("/graphql", params={"query": query.document})


def outcome_of(status: int, content: bytes, query: Query) -> str:
    """Returns in words what an answer is: fresh, stale, stale on error, an error's code, wrong."""
    if status != 200:
        return f"status {status}"
    body: Answered = msgspec.json.decode(content)
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    if not query.is_right(body["data"]):
        return "wrong"
    cache = body.get("extensions", {}).get("cache", {})
    if "error" in cache:
        return "stale on error"
    return "stale" if cache.get("stale") else "fresh"
