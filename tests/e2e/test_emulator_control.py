"""`gateway emulator --control` in a process of its own, below a gateway in another."""

import httpx
import pytest
from processes import EMULATOR_TOKEN, controlled_emulator, emulator_on_a_port, gateway_over

from gateway.emulator import Fault, Rule

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


def test_options_set_the_answers_to_writes_and_the_size_of_the_store() -> None:
    options = ("--dialect", "2025", "--max-batch", "2", "--profiles", "40", "--segments", "2")
    rows = ("--profile-segment-rows", "ids", "--forbid", "update_segments")
    faults = ("--fault", "server-error@create_shopper_profiles")
    with (
        controlled_emulator(*options, *rows, *faults) as upstream,
        httpx.Client(
            base_url=f"{upstream}/stores/emulator/v3", headers={"X-Auth-Token": EMULATOR_TOKEN}
        ) as client,
    ):
        listed = client.get("shopper-profiles").json()
        assert listed["meta"]["pagination"]["total"] == 40
        (row,) = client.get(f"shopper-profiles/{listed['data'][0]['id']}/segments").json()["data"]
        assert [*row] == ["segment_id"]
        answers = [
            client.post("segments", json=[{"name": "A"}, {"name": "B"}, {"name": "C"}]),
            client.post("segments", json=[{"name": "A"}]),
            client.put("segments", json=[{"id": row["segment_id"]}]),
            client.delete("segments", params={"id:in": row["segment_id"]}),
            *(client.post("shopper-profiles", json=[{"customer_id": 41}]) for _ in range(2)),
        ]
    assert [answer.status_code for answer in answers] == [413, 201, 403, 204, 500, 201]


def test_a_token_of_the_command_may_be_one_that_only_reads() -> None:
    with controlled_emulator("--token-scope", "store_v2_customers_read_only") as upstream:
        segments, token = (
            f"{upstream}/stores/emulator/v3/segments",
            {"X-Auth-Token": EMULATOR_TOKEN},
        )
        read = httpx.get(segments, headers=token)
        write = httpx.post(segments, headers=token, json=[{"name": "A"}])
    assert [read.status_code, write.status_code] == [200, 403]


@pytest.mark.parametrize("fault", [Fault.DRIP, Fault.CUT, Fault.TRUNCATED, Fault.NULL_DATA])
def test_fault_of_a_body_leaves_an_answer_without_one(fault: Fault) -> None:
    with emulator_on_a_port(3) as (url, emulator):
        emulator.dialect = "2025"
        emulator.faults.rules.append(Rule(fault, seconds=0 if fault is Fault.DRIP else None))
        path = f"{url}/stores/emulator/v3/segments?id:in={emulator.store.segments[0].id}"
        answer = httpx.delete(path, headers={"X-Auth-Token": emulator.token})
        assert (answer.status_code, len(emulator.store.segments)) == (204, 2)
