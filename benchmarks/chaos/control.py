"""Breaks the emulated store, and reads what it was asked (docs/emulator.md)."""

from collections import Counter
from dataclasses import dataclass, field

import httpx
import msgspec

Fault = dict[str, str | int | float]

ENDLESS_QUOTA = 1_000_000
USUAL_SECONDS = 0.02


class Window(msgspec.Struct):
    """A window of the quota: requests that came, and those refused for it."""

    requests: int
    refused: int


class Asked(msgspec.Struct):
    """What the store was asked since the last time."""

    total: int
    statuses: dict[str, int]
    windows: list[Window]


@dataclass
class Upstream:
    """What the store was asked, over its restarts; `refused` were answered with 429."""

    total: int = 0
    refused: int = 0
    windows: list[Window] = field(default_factory=list)

    def add(self, asked: Asked) -> None:
        """Adds what one process of the store was asked."""
        self.total += asked.total
        self.refused += Counter(asked.statuses)["429"]
        self.windows += asked.windows


class Control:
    """The control routes of an emulator."""

    def __init__(self, port: int) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False
        )

    async def fail(self, *faults: Fault) -> None:
        """Lets requests fail in these ways from now on."""
        answer = await self._http.put("/_emulator/faults", json={"rules": [*faults]})
        answer.raise_for_status()

    async def behave(self, **changes: object) -> None:
        """Changes how it answers, such as its latency or its quota."""
        (await self._http.patch("/_emulator/behaviour", json=changes)).raise_for_status()

    async def answer_after(self, seconds: float) -> None:
        """Lets each answer take so long."""
        await self.behave(latency_seconds=seconds)

    async def recover(self) -> None:
        """Lets it answer as it should."""
        await self.fail()
        await self.answer_after(USUAL_SECONDS)
        await self.behave(quota=ENDLESS_QUOTA)

    async def seconds_to_next_window(self) -> float:
        """Returns when the quota is new again."""
        answer = await self._http.get(
            "/stores/emulator/v3/segments?limit=1", headers={"X-Auth-Token": "emulator-token"}
        )
        return int(answer.headers["X-Rate-Limit-Time-Reset-Ms"]) / 1000

    async def forget(self) -> None:
        """Sets the counts back."""
        (await self._http.delete("/_emulator/requests")).raise_for_status()

    async def asked(self) -> Asked:
        """Returns what it was asked."""
        answer = (await self._http.get("/_emulator/requests")).raise_for_status()
        return msgspec.json.decode(answer.content, type=Asked)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()
