"""The way by which a gateway answers: from the response cache, by a plan, or by graphql-core."""

from collections.abc import Mapping
from typing import Any

from in_process import Answer, InProcess, in_process
from twins import counts_of

from gateway.emulator import Store, seeded_store

# By then, its document is known, and its rows are in memory.
ASKED_BEFORE = 2


async def way_of(gateway: InProcess, document: str, **variables: object) -> tuple[str, Answer]:
    """Asks once; returns how the request was answered, and the answer."""
    before = counts_of(gateway)
    answer = await gateway.ask(document, **variables)
    (way,) = (counts_of(gateway) - before).elements()
    return way, answer


class Warm:
    """A gateway whose cache is filled, beside one over the same store that has no plans."""

    def __init__(self, rows: Store | int = 12, **settings: str) -> None:
        store = seeded_store(rows) if isinstance(rows, int) else rows
        off: dict[str, Any] = {**settings, "RESPONSE_CACHE_MAX_BYTES": "0"}
        self.gateway = in_process(store, **off)
        self.executing = in_process(store, plans=False, **off)

    async def way(self, document: str, variables: Mapping[str, object] | None = None) -> str:
        """Returns how a request is answered that was asked before; checks the answer."""
        given = variables or {}
        for _ in range(ASKED_BEFORE):
            await self.gateway.ask(document, **given)
        way, answer = await way_of(self.gateway, document, **given)
        executed = await self.executing.ask(document, **given)
        if "errors" in answer:
            assert way == "executed"
            assert answer["errors"] != []
        else:
            assert answer["data"] == executed["data"]
        assert ("errors" in answer) is ("errors" in executed)
        return way

    async def ways(self, asked: dict[str, tuple[str, dict[str, object]]]) -> dict[str, str]:
        """Returns how each of the requests is answered."""
        return {fact: await self.way(*one) for fact, one in asked.items()}
