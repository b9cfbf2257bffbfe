"""Asks at a steady rate, whatever comes back, and counts what did.

The load is open: a request leaves when it is due, however slow the others are, and its time counts
from then. A query is sent by GET, which HTTP lets clients send again where the connection broke
before any of the answer came (RFC 9110, 9.2.2): as browsers do, once.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.chaos.answers import GOOD, outcome_of
from benchmarks.chaos.http import BrokenConnection, Client
from benchmarks.chaos.queries import Query

CONNECTIONS = 20
EXAMPLES = 3


@dataclass
class Tally:
    """What became of the requests of one scenario; `outcomes` are counted in words.

    `late_milliseconds` is by how much each left after it was due: the fault of the load itself.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    error_milliseconds: list[float] = field(default_factory=list)
    late_milliseconds: list[float] = field(default_factory=list)
    sent_again: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many were sent, each counted once."""
        return self.outcomes.total()

    @property
    def failed(self) -> dict[str, int]:
        """Those that were not answered with data, by what they got."""
        return {what: n for what, n in sorted(self.outcomes.items()) if what not in GOOD}

    def count(self, outcome: str, milliseconds: float, example: str = "") -> None:
        """Counts one request."""
        self.outcomes[outcome] += 1
        self.milliseconds.append(milliseconds)
        if outcome not in GOOD:
            self.error_milliseconds.append(milliseconds)
            if len(self.examples) < EXAMPLES:
                self.examples.append(f"{outcome}: {example[:200]}")


async def put_under_load(
    tally: Tally, port: int, queries: Sequence[Query], *, rate: float, seconds: float
) -> None:
    """Sends `rate` requests a second for so long, and waits for the last answer.

    A connection takes one request at a time: where answers are slow, more are opened.
    """
    loop = asyncio.get_running_loop()
    client = Client(port)
    await client.open(CONNECTIONS)
    start = loop.time()
    async with asyncio.TaskGroup() as asking:
        for number in range(int(rate * seconds)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - loop.time()))
            asking.create_task(ask(tally, client, queries[number % len(queries)], due))
    client.close()


async def ask(tally: Tally, client: Client, query: Query, due: float) -> None:
    """Asks a query that was due at this time of the event loop; whatever happens is counted."""
    loop = asyncio.get_running_loop()
    tally.late_milliseconds.append((loop.time() - due) * 1000)
    content = b""
    try:
        answer = await client.get(query.path)
        content = answer.body
        tally.sent_again += answer.was_sent_again
        outcome = outcome_of(answer.status, content, query.expected)
    except BrokenConnection as error:
        outcome = f"connection broken {error}"
    except TimeoutError:
        outcome = "no answer"
    except OSError:
        outcome = "no connection"
    tally.count(outcome, (loop.time() - due) * 1000, content.decode(errors="replace"))
