"""A store whose answers the test gives one by one, on a clock that the test holds."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from gateway.bigcommerce.client import BigCommerceClient


@dataclass
class HeldTime:
    """A clock that goes on where the test lets it; who sleeps on it wakes then."""

    now: float = 1_790_000_000.0
    slept: list[float] = field(default_factory=list)
    _sleepers: "list[tuple[float, asyncio.Event]]" = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Returns when the clock has gone on by so many seconds."""
        self.slept.append(seconds)
        wakes = asyncio.Event()
        self._sleepers.append((self.now + seconds, wakes))
        await wakes.wait()

    async def pass_by(self, seconds: float) -> None:
        """Lets so many seconds pass, and whoever slept go on."""
        self.now += seconds
        for wakes_at, wakes in self._sleepers:
            if wakes_at <= self.now:
                wakes.set()
        await settle()


class HeldWire:
    """Keeps what was sent, in `waiting`, until the test answers it; `requests` counts."""

    def __init__(self) -> None:
        self.requests = self.cancelled = 0
        self.waiting: list[asyncio.Future[httpx.Response]] = []
        http = httpx.AsyncClient(
            transport=httpx.MockTransport(self._carry), base_url="http://store.test/v3/"
        )
        self.client = BigCommerceClient(http)

    async def _carry(self, _: httpx.Request) -> httpx.Response:
        self.requests += 1
        answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        try:
            return await answer
        except asyncio.CancelledError:
            self.cancelled += 1
            self.waiting.remove(answer)
            raise

    async def answer(
        self,
        status: int = 200,
        *,
        left: int | None = None,
        quota: int = 150,
        resets_in: float = 20.0,
        body: bytes = b'{"data":[]}',
        headers: Mapping[str, str] | None = None,
        **named: str,
    ) -> None:
        """Answers whoever has waited longest, without headers of the quota where `left` is None."""
        told = {**(headers or {})}
        told |= {name.replace("_", "-"): text for name, text in named.items()}
        if left is not None:
            told["X-Rate-Limit-Requests-Left"] = str(left)
            told["X-Rate-Limit-Requests-Quota"] = str(quota)
            told["X-Rate-Limit-Time-Reset-Ms"] = str(round(resets_in * 1000))
        stream = httpx.ByteStream(body)
        self.waiting.pop(0).set_result(httpx.Response(status, headers=told, stream=stream))
        await settle()

    async def fail(self, error: Exception) -> None:
        """Lets the connection of whoever has waited longest break."""
        self.waiting.pop(0).set_exception(error)
        await settle()


async def settle() -> None:
    """Lets every task go as far as it comes without time."""
    for _ in range(40):
        await asyncio.sleep(0)


def in_seconds(seconds: float) -> float:
    """Returns the deadline that is so far away, in the time of the event loop."""
    return asyncio.get_running_loop().time() + seconds


def no_spread(_: float, longest: float) -> float:
    """Draws the longest time."""
    return longest
