"""Two gateways over equal stores, one of which executes each document: their answers are equal."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import seed
from typing import Any, Literal
from urllib.parse import parse_qsl
from uuid import UUID

from clock import Clock
from direct_requests import Ask, NamedByHeader, Received, receive_answer
from in_process import InProcess, in_process
from operation_values import ROWS

from gateway.emulator import Fault, SegmentRow, Store
from gateway.emulator.faults import Rule

# No sum of waits comes near a whole second, where ages and freshness change.
FRACTION = 0.0137
# A background refresh ends after the answer that began it, however long that is computed.
LATENCY_SECONDS = 0.02
TTL_SECONDS = 15
DAY = "2024-05-01T10:00:00Z"


@dataclass(frozen=True)
class Together:
    """Requests that come at the same time."""

    asks: tuple[Ask, ...]


@dataclass(frozen=True)
class Wait:
    """Seconds pass."""

    seconds: int


@dataclass(frozen=True)
class Fail:
    """The upstream answers with a fault from now on, `seconds` late; None: it is healthy."""

    fault: Fault | None
    status: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Change:
    """Rows of the store change, from the one at `at` on."""

    kind: Literal["delete", "insert", "rename", "move", "spoil"]
    at: int
    rows: int = 1


@dataclass(frozen=True)
class Invalidate:
    """A write to the list is announced."""


@dataclass(frozen=True)
class Clamp:
    """The upstream gives at most so many rows to a page."""

    rows: int


Step = Ask | Together | Wait | Fail | Change | Invalidate | Clamp


def new_gateway(clock: Clock, *, plans: bool = True, **settings: str) -> InProcess:
    """Returns a gateway over a store of its own, whose clients a header names."""
    variables: dict[str, Any] = {
        "ALLOW_GET_DOCUMENTS": "true",
        "INTROSPECTION": "true",
        "RESPONSE_CACHE_MAX_BYTES": str(2**24 if plans else 0),
        **settings,
    }
    return in_process(
        Store([*ROWS]),
        latency_seconds=LATENCY_SECONDS,
        clock=clock,
        authenticate=NamedByHeader(),
        plans=plans,
        **variables,
    )


class Twins:
    """A gateway with plans and a response cache, and one that has neither.

    Each step is done to both. Raises `AssertionError` where they answer an `Ask` differently, or
    have sent other requests upstream. `executed` counts what the first one executed, by the likely
    cause; `unexplained` are the requests without one.

    The gateways have parted once a kept answer is fresh, but another request has read some of its
    rows since then, or an execution would read again. All later steps are left out.
    """

    def __init__(self, **settings: str) -> None:
        self.clock = Clock()
        self.planning = new_gateway(self.clock, plans=True, **settings)
        self.executing = new_gateway(
            self.clock, plans=False, **{**settings, "RESPONSE_CACHE_MAX_BYTES": "0"}
        )
        self.answers = 0
        self.executed: Counter[str] = Counter()
        self.unexplained: list[Ask] = []
        self.has_parted = False
        self._inserted = 0

    async def do(self, step: Step) -> None:
        """Does one step to both gateways, or to their stores."""
        if self.has_parted:
            return
        self.clock.advance(FRACTION)
        match step:
            case Ask():
                for _ in range(step.times):
                    await self._compare(step)
            case Together():
                await self._compare(*step.asks)
            case Wait():
                self.clock.advance(step.seconds)
            case Change():
                self._inserted += 1
                for gateway in self._both():
                    change_rows(gateway.emulator.store, step, self._inserted)
            case _:
                for gateway in self._both():
                    await _do(gateway, step)

    def counts(self) -> Counter[str]:
        """Returns how the gateway with plans answered: cached, planned, executed."""
        return counts_of(self.planning)

    def _both(self) -> tuple[InProcess, InProcess]:
        return self.planning, self.executing

    async def _compare(self, *asks: Ask) -> None:
        self.answers += len(asks)
        cached, before = self.counts()["cached"], self.counts()["executed"]
        planned = await receive_answers(self.planning, asks)
        if len(asks) == 1 and self.counts()["executed"] > before:
            cause = self._cause(asks[0], planned[0])
            self.executed[cause] += 1
            if cause == "unexplained":
                self.unexplained.append(asks[0])
        executed = await receive_answers(self.executing, asks)
        is_cached = self.counts()["cached"] > cached
        for ask, one, other in zip(asks, planned, executed, strict=True):
            if is_cached and one.compared != other.compared and is_older(one, other):
                self.has_parted = True
            else:
                assert one.compared == other.compared, ask
        planning, executing = sent_upstream(self.planning), sent_upstream(self.executing)
        if is_cached and planning[0] < executing[0]:
            self.has_parted = True
        assert self.has_parted or planning == executing, asks
        for gateway in self._both():
            gateway.sent.clear()

    def _cause(self, ask: Ask, received: Received) -> str:
        """Returns why the gateway with plans has likely executed a request."""
        if b'"data":' not in received.body:
            return "request error"
        if b'"errors":' in received.body:
            return "errors"
        if received.cache is not None and received.cache["stale"]:
            return "stale"
        if self.planning.sent:
            return "upstream requests"
        if any(name in ask.operation.document for name in ("__schema", "__type(", "_service")):
            return "introspection"
        return "unexplained"


def counts_of(gateway: InProcess) -> Counter[str]:
    """Returns how a gateway answered: cached, planned, executed."""
    answers = gateway.app.state.answers
    return Counter({n: getattr(answers, n) for n in ("cached", "planned", "executed")})


def sent_upstream(gateway: InProcess) -> tuple[Counter[str], Counter[str]]:
    """Returns the upstream requests without the ids in them, and these ids.

    The ids of requests that come at the same time are in one batch, in any order.
    """
    requests, ids = Counter[str](), Counter[str]()
    for method, path, query in gateway.sent:
        parameters = dict(parse_qsl(query.decode()))
        ids.update(parameters.pop("id:in", "").split(","))
        requests[f"{method} {path} {parameters}"] += 1
    return requests, ids


def is_older(kept: Received, executed: Received) -> bool:
    """Whether an answer is fresh, but of rows that were read earlier than those of the other."""
    if kept.cache is None or executed.cache is None or kept.status != executed.status:
        return False
    return not kept.cache["stale"] and executed.cache["age"] < kept.cache["age"] < TTL_SECONDS


async def receive_answers(gateway: InProcess, asks: Sequence[Ask]) -> list[Received]:
    """Sends requests at the same time; returns their answers.

    The pauses before retries are random: both gateways draw the same ones.
    """
    seed(len(asks))
    return await asyncio.gather(*(receive_answer(gateway, ask) for ask in asks))


async def _do(gateway: InProcess, step: Fail | Invalidate | Clamp) -> None:
    emulator = gateway.emulator
    match step:
        case Fail():
            emulator.faults.clear()
            emulator.latency_seconds = step.seconds or LATENCY_SECONDS
            if step.fault is not None:
                emulator.faults.rules.append(Rule(step.fault, status=step.status))
        case Invalidate():
            services = gateway.services
            await services.invalidations.announce(["segments"], services.cache.now())
        case Clamp():
            emulator.max_limit = step.rows


def change_rows(store: Store, change: Change, number: int) -> None:
    """Changes rows of a store; `number` makes ids and names that no other change makes."""
    at = change.at % (len(store.segments) + 1)
    until = at + change.rows
    rows = store.segments[at:until]
    match change.kind:
        case "delete":
            store.delete([row.id for row in rows])
        case "insert":
            for place in range(change.rows):
                row_id = str(UUID(int=number * 1000 + place, version=4))
                store.insert(SegmentRow(row_id, f"New {row_id}", None, DAY, DAY), at)
        case "rename":
            store.segments[at:until] = [
                replace(row, name=f'{row.name} "{number}"\n\u2028', updated_at=DAY) for row in rows
            ]
        case "spoil":
            store.segments[at:until] = [
                replace(row, id=f"{number} is no uuid {place}") for place, row in enumerate(rows)
            ]
        case "move":
            del store.segments[at:until]
            store.segments.extend(rows)
