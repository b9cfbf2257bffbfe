"""The tasks, each the same for both sides: what is asked, by how many clients, and when."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from operator import methodcaller
from typing import ClassVar

from gateway.demo.reader import NewReader, NoAnswer, Reading, SegmentReader
from gateway.demo.tally import Side, Tally
from gateway.emulator import Emulator, Fault, Rule

PAGE_ROWS = 30
FRESH_SECONDS = 15.0

Request = Callable[[SegmentReader], Awaitable[Reading]]


class Task(ABC):
    """One task. `ways` says what each side sends, `goal` how many units there are to answer.

    `fresh_seconds` is the gateway's `GATEWAY_CACHE_TTL_SECONDS`.
    """

    unit: ClassVar[str] = "clients"
    ways: ClassVar[dict[Side, str]]
    fresh_seconds: ClassVar[float] = FRESH_SECONDS
    goal: int

    @property
    @abstractmethod
    def title(self) -> str:
        """A line about what is done."""

    @property
    @abstractmethod
    def short_title(self) -> str:
        """The same in two or three words."""

    @abstractmethod
    async def run(self, new_reader: NewReader, store: Emulator, tally: Tally) -> None:
        """Does the task, and counts what was answered."""


@dataclass(frozen=True)
class Walk(Task):
    """Through all segments of the store, one page after another."""

    goal: int = 1000
    unit = "segments"
    ways: ClassVar = {
        Side.REST: f"GET /segments?page=N&limit={PAGE_ROWS}, one after another",
        Side.GATEWAY: f"segments(first: {PAGE_ROWS}, after: CURSOR), one after another",
    }

    @property
    def title(self) -> str:
        """A line about what is done."""
        return f"Walk through {self.goal} segments, {PAGE_ROWS} to a page"

    @property
    def short_title(self) -> str:
        """The same in two or three words."""
        return f"Walk {self.goal} segments"

    async def run(self, new_reader: NewReader, store: Emulator, tally: Tally) -> None:
        """Asks for page after page; ends at one without an answer."""
        begin = None
        with suppress(NoAnswer):
            async with new_reader() as reader:
                while True:
                    reading = await reader.page(PAGE_ROWS, begin)
                    _count(reading, tally, units=len(reading.names))
                    begin = reading.next_page
                    if begin is None:
                        return


@dataclass(frozen=True)
class SameIds(Task):
    """Clients at once that want the same segments by id."""

    goal: int = 16
    segments: int = 20
    ways: ClassVar = {
        Side.REST: "each client: GET /segments?id:in=... with all ids",
        Side.GATEWAY: "each client: segmentsByEntityId(entityIds: [...]) with all ids",
    }

    @property
    def title(self) -> str:
        """A line about what is done."""
        return f"{self.segments} segments by id, the same for {self.goal} clients at once"

    @property
    def short_title(self) -> str:
        """The same in two or three words."""
        return f"{self.segments} by id, {self.goal} clients"

    async def run(self, new_reader: NewReader, store: Emulator, tally: Tally) -> None:
        """Asks for all of them in each request."""
        ids = [row.id for row in store.store.segments[: self.segments]]
        await _at_once(new_reader, [lambda reader: reader.by_ids(ids)] * self.goal, tally)


@dataclass(frozen=True)
class CustomersSegments(Task):
    """Customers at once, each of whom opens a page with the own segments."""

    goal: int = 100
    unit = "customers"
    ways: ClassVar = {
        Side.REST: "GET /customers?id:in=N&include=segment_ids, then /segments?id:in=...",
        Side.GATEWAY: "customer(entityId: N) { segments { nodes { name } } }",
    }

    @property
    def title(self) -> str:
        """A line about what is done."""
        return f"The segments of {self.goal} customers, each on a page of its own"

    @property
    def short_title(self) -> str:
        """The same in two or three words."""
        return f"{self.goal} customers' pages"

    async def run(self, new_reader: NewReader, store: Emulator, tally: Tally) -> None:
        """Asks for each customer apart."""
        customers = (methodcaller("of_customer", n) for n in range(1, self.goal + 1))
        await _at_once(new_reader, customers, tally)


@dataclass(frozen=True)
class Crowd(Task):
    """Clients at once that want the same page."""

    goal: int = 200
    ways: ClassVar = {
        Side.REST: f"each client: GET /segments?page=1&limit={PAGE_ROWS}",
        Side.GATEWAY: f"each client: segments(first: {PAGE_ROWS})",
    }

    @property
    def title(self) -> str:
        """A line about what is done."""
        return f"The same page for {self.goal} clients at once"

    @property
    def short_title(self) -> str:
        """The same in two or three words."""
        return f"One page, {self.goal} clients"

    async def run(self, new_reader: NewReader, store: Emulator, tally: Tally) -> None:
        """Asks for the first page, all at once."""
        await _at_once(new_reader, [_first_page] * self.goal, tally)


@dataclass(frozen=True)
class Outage(Task):
    """Clients that come one after another while the store answers 503.

    One client came before, and what it got is no longer fresh.
    """

    goal: int = 40
    seconds: float = 2.0
    fresh_seconds = 0.5
    ways: ClassVar = {
        Side.REST: f"each client: GET /segments?page=1&limit={PAGE_ROWS}, once more after a 503",
        Side.GATEWAY: f"each client: segments(first: {PAGE_ROWS}); fresh for {fresh_seconds:g} s",
    }

    @property
    def title(self) -> str:
        """A line about what is done."""
        return (
            f"The store is down (503) for {self.seconds:g} s: {self.goal} clients want a page "
            "read before"
        )

    @property
    def short_title(self) -> str:
        """The same in two or three words."""
        return f"Store down, {self.goal} clients"

    async def run(self, new_reader: NewReader, store: Emulator, tally: Tally) -> None:
        """Asks once, breaks the store when that is no longer fresh, and asks again and again."""
        with suppress(NoAnswer):
            async with new_reader() as reader:
                await _first_page(reader)
        await asyncio.sleep(self.fresh_seconds)
        store.faults.rules = [Rule(Fault.STATUS, status=503)]
        async with asyncio.TaskGroup() as clients:
            for _ in range(self.goal):
                clients.create_task(_ask(new_reader, _first_page, tally))
                await asyncio.sleep(self.seconds / self.goal)


TASKS: tuple[Task, ...] = (Walk(), SameIds(), CustomersSegments(), Crowd(), Outage())


async def _at_once(new_reader: NewReader, requests: Iterable[Request], tally: Tally) -> None:
    async with asyncio.TaskGroup() as clients:
        for request in requests:
            clients.create_task(_ask(new_reader, request, tally))


async def _ask(new_reader: NewReader, request: Request, tally: Tally) -> None:
    with suppress(NoAnswer):
        async with new_reader() as reader:
            _count(await request(reader), tally, units=1)


async def _first_page(reader: SegmentReader) -> Reading:
    return await reader.page(PAGE_ROWS)


def _count(reading: Reading, tally: Tally, *, units: int) -> None:
    tally.answered += units
    tally.stale += units * reading.is_stale
    tally.names.update(reading.names)
