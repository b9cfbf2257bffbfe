"""`gateway emulator --control` in a process of its own, below a gateway in another."""

import httpx
from processes import EMULATOR_TOKEN, controlled_emulator, emulator_on_a_port, gateway_over

QUERY = {"query": "{ segments(first: 1) { totalCount } }"}


def ask(gateway: str) -> dict[str, object]:
    answer: dict[str, object] = httpx.post(f"{gateway}/graphql", json=QUERY, timeout=30).json()
    return answer


def total(count: int) -> dict[str, object]:
    cache = {"age": 0, "stale": False}
    return {"data": {"segments": {"totalCount": count}}, "extensions": {"cache": cache}}


def test_gateway_sees_the_changes_of_another_app_and_a_broken_connection() -> None:
    with (
        controlled_emulator("--segments", "7", "--latency-ms", "0-2") as upstream,
        gateway_over(
            upstream,
            ACCESS_TOKEN=EMULATOR_TOKEN,
            CACHE_TTL_SECONDS="0",
            CACHE_STALE_WHILE_REVALIDATE_SECONDS="0",
            CACHE_STALE_IF_ERROR_SECONDS="0",
        ) as gateway,
    ):
        assert ask(gateway) == total(7)
        httpx.post(f"{upstream}/_emulator/segments", json={"name": "New"}).raise_for_status()
        assert ask(gateway) == total(8)
        httpx.put(f"{upstream}/_emulator/faults", json={"rules": [{"fault": "reset"}]})
        assert ask(gateway)["data"] == {"segments": None}
        httpx.put(f"{upstream}/_emulator/faults", json={"rules": []}).raise_for_status()
        assert ask(gateway) == total(8)
        statuses = httpx.get(f"{upstream}/_emulator/requests").json()["statuses"]
        assert statuses["200"] == 3
        assert statuses["none"] >= 1


def test_emulator_in_a_thread_has_the_same_control() -> None:
    with emulator_on_a_port(3, control=True) as (url, emulator):
        assert httpx.patch(f"{url}/_emulator/behaviour", json={"quota": 5}).status_code == 204
        assert emulator.window.quota == 5
