"""Gathers ids that are asked for close together, across requests, into lookups of many ids."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.data_source import LOOKUP_IDS
from gateway.errors import UpstreamError
from gateway.request_scope import ABANDONED, request_scope

# Ids go on being gathered while more of them arrive, but no longer than this many windows.
LONGEST_WAIT_WINDOWS = 10
# Behind a lookup that is in flight they gather at most so long: it may be stuck.
LONGEST_WAIT_SECONDS = 0.5

Row = TypeVar("Row")
Found = Mapping[str, Row | UpstreamError]


@dataclass(slots=True, eq=False)
class _Asked(Generic[Row]):
    """An id that somebody has asked for: its answer, who waits, and the lookup it travels in."""

    answer: asyncio.Future[Row | UpstreamError | None]
    waiting: int = 0
    lookup: asyncio.Task[None] | None = None


class LookupPool(Generic[Row]):
    """The pool of one process, shared by all requests; `lookups` counts what it sent.

    A full chunk of ids leaves at once. A part of one waits until a window passes in which nobody
    joined it, and while another part is in flight.
    """

    def __init__(
        self,
        look_up: Callable[[Sequence[str]], Awaitable[Found[Row]]],
        *,
        window_seconds: float,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
    ) -> None:
        self.lookups = 0
        self._look_up = look_up
        self._window_seconds = window_seconds
        self._longest_wait_seconds = longest_wait_seconds
        self._asked: dict[str, _Asked[Row]] = {}
        self._gathered: dict[str, None] = {}  # in order
        self._timer: asyncio.TimerHandle | None = None
        self._windows = 0
        self._somebody_joined = False
        self._waits_for_part = False
        self._in_flight: dict[asyncio.Task[None], list[str]] = {}
        self._part_in_flight: asyncio.Task[None] | None = None

    @contextmanager
    def waiting(self) -> Iterator["Waits[Row]"]:
        """Opens what one caller waits for; what only it was waiting for is freed at the end."""
        waits = Waits(self)
        try:
            yield waits
        finally:
            waits.leave()

    def hold(self, row_id: str) -> "_Asked[Row] | None":
        """Joins whoever waits for the id; returns None where nobody does."""
        asked = self._asked.get(row_id)
        if asked is not None:
            asked.waiting += 1
        return asked

    def ask(self, ids: Iterable[str]) -> dict[str, _Asked[Row]]:
        """Asks for the ids, each once, however many wait for it; each has to be let go again."""
        held: dict[str, _Asked[Row]] = {}
        is_new = False
        for row_id in ids:
            asked = self.hold(row_id)
            if asked is None:
                asked = _Asked(asyncio.get_running_loop().create_future(), waiting=1)
                self._asked[row_id] = asked
                self._gathered[row_id] = None
                is_new = True
                if len(self._gathered) == LOOKUP_IDS:
                    self._depart()
            held[row_id] = asked
        if self._gathered and self._timer is None:
            self._wait_a_window()
        elif is_new:
            self._somebody_joined = True
        return held

    def let_go(self, row_id: str, asked: _Asked[Row]) -> None:
        """Takes one who waits from an id; what nobody waits for does not travel, or is cancelled.

        A request that the upstream has counted already may still be carried to its end.
        """
        asked.waiting -= 1
        if asked.waiting or asked.answer.done():
            return
        if asked.lookup is None:
            del self._gathered[row_id], self._asked[row_id]
        elif not any(self._asked[other].waiting for other in self._in_flight[asked.lookup]):
            asked.lookup.cancel(ABANDONED)

    def _wait_a_window(self) -> None:
        self._somebody_joined = False
        self._windows += 1
        self._timer = asyncio.get_running_loop().call_later(
            self._window_seconds, self._window_passed
        )

    def _window_passed(self) -> None:
        if self._somebody_joined and self._windows < LONGEST_WAIT_WINDOWS:
            self._wait_a_window()
        elif self._part_in_flight is None:
            self._depart()
        else:
            self._waits_for_part = True
            self._timer = asyncio.get_running_loop().call_later(
                self._longest_wait_seconds, self._depart
            )

    def _depart(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._windows = 0
        self._waits_for_part = False
        ids, self._gathered = [*self._gathered], {}
        if not ids:
            return  # all of them were let go
        task = asyncio.ensure_future(self._travel(ids))
        self._in_flight[task] = ids
        for row_id in ids:
            self._asked[row_id].lookup = task
        if len(ids) < LOOKUP_IDS:
            self._part_in_flight = task
        task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        for row_id in self._in_flight.pop(task):
            # Left over where the lookup was cancelled, maybe before its first step.
            asked = self._asked.get(row_id)
            if asked is not None and asked.lookup is task:
                del self._asked[row_id]
                asked.answer.cancel()
        if task is self._part_in_flight:
            self._part_in_flight = None
            if self._waits_for_part:
                self._depart()

    async def _travel(self, ids: Sequence[str]) -> None:
        self.lookups += 1
        try:
            found = await self._look_up(ids)
        except UpstreamError as error:
            found = dict.fromkeys(ids, error)
        except Exception as error:
            for row_id in ids:
                answer = self._asked.pop(row_id).answer
                answer.set_exception(error)
                answer.exception()  # counts as seen even if everybody has hung up
            return
        for row_id in ids:
            self._asked.pop(row_id).answer.set_result(found.get(row_id))


class Waits(Generic[Row]):
    """The ids that one caller waits for."""

    def __init__(self, pool: LookupPool[Row]) -> None:
        self._pool = pool
        self._held: dict[str, _Asked[Row]] = {}

    def join(self, ids: Iterable[str]) -> set[str]:
        """Waits for those of the ids that are asked for already; returns them."""
        joined = {row_id: asked for row_id in ids if (asked := self._pool.hold(row_id))}
        self._held.update(joined)
        return {*joined}

    def ask(self, ids: Iterable[str]) -> None:
        """Asks for ids, and waits for them."""
        self._held.update(self._pool.ask(ids))

    async def answers(self) -> dict[str, Row | UpstreamError | None]:
        """Returns the answer to each id: None where nothing was found, or the lookup's error.

        In an answer's scope, those that have none at its deadline are `UpstreamTimeout`.
        """
        answers: dict[str, Row | UpstreamError | None] = {}
        while self._held:
            scope = request_scope()
            await asyncio.wait(
                {asked.answer for asked in self._held.values()},
                timeout=None if scope is None else scope.seconds_left,
            )
            again = []
            for row_id, asked in self._held.items():
                if asked.answer.cancelled():
                    again.append(row_id)  # abandoned before we came, and could be ended
                elif asked.answer.done():
                    answers[row_id] = asked.answer.result()
                elif scope is not None:
                    answers[row_id] = scope.timeout_error()
            self.leave()
            if again:
                self.ask(again)
        return answers

    def leave(self) -> None:
        """Waits no longer."""
        held, self._held = self._held, {}
        for row_id, asked in held.items():
            self._pool.let_go(row_id, asked)
