"""How each upstream request is counted, for each way in which it can end."""

import asyncio

import httpx
import pytest
from in_process import EmulatedWire
from samples import Samples, samples_of

from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.listings import SEGMENTS
from gateway.emulator import Fault, Rule, create_emulator, seeded_store
from gateway.emulator.faults import Faults
from gateway.errors import UpstreamTimeout, UpstreamUnavailable
from gateway.instrumentation import Instrumentation, Surrounding, UpstreamRecord
from gateway.telemetry.counting import Counting
from gateway.telemetry.metrics import Metrics

LIST = SEGMENTS.page(1, 250)
SECONDS = "http_client_request_duration_seconds_count"


def client_over(
    transport: httpx.AsyncBaseTransport, instrumentation: Instrumentation
) -> BigCommerceClient:
    http = httpx.AsyncClient(
        transport=transport,
        base_url="http://localhost/stores/emulator/v3/",
        headers={"X-Auth-Token": "emulator-token"},
    )
    return BigCommerceClient(http, instrumentation)


class Store:
    """A client of an emulator, or of another transport, whose requests are counted."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._metrics = Metrics()
        self.client = client_over(transport, Counting(self._metrics))

    def counted(self, name: str = "gateway_upstream_requests_total") -> Samples:
        text, _ = self._metrics.exposition("text/plain")
        return samples_of(text.decode(), name)


def emulated(*rules: Rule, latency_seconds: float = 0.0) -> Store:
    return Store(
        EmulatedWire(
            create_emulator(seeded_store(3), faults=Faults(rules), latency_seconds=latency_seconds)
        )
    )


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        (Rule(None), "ok"),
        (Rule(Fault.SERVER_ERROR), "failed"),
        (Rule(Fault.STATUS, status=503), "failed"),
        (Rule(Fault.STATUS, status=400), "refused"),
        (Rule(Fault.STATUS, status=401), "forbidden"),
        (Rule(Fault.STATUS, status=403), "forbidden"),
        (Rule(Fault.STATUS, status=404), "refused"),
        (Rule(Fault.STATUS, status=422), "refused"),
        (Rule(Fault.RATE_LIMITED), "rate_limited"),
        (Rule(Fault.OVERLOADED), "rate_limited"),
        # What an answer says is another matter than that it came.
        (Rule(Fault.HTML), "ok"),
        (Rule(Fault.TRUNCATED), "ok"),
        (Rule(Fault.NULL_DATA), "ok"),
        (Rule(Fault.ZERO_PER_PAGE), "ok"),
        (Rule(Fault.MISSING_ROW), "ok"),
        (Rule(Fault.RESET), "unreachable"),
        (Rule(Fault.LOST_ANSWER), "unreachable"),
        (Rule(Fault.CUT), "unreachable"),
        (Rule(Fault.DRIP, seconds=600), "timeout"),
    ],
    ids=lambda one: (
        " ".join(filter(None, [one.fault, str(one.status or "")]))
        if isinstance(one, Rule)
        else None
    ),
)
async def test_request_is_counted_by_how_it_ended(rule: Rule, outcome: str) -> None:
    store = emulated(rule)
    try:
        await store.client.send(LIST, 0.2 if outcome == "timeout" else 30)
    except (UpstreamTimeout, UpstreamUnavailable):
        assert outcome in ("timeout", "unreachable")
    assert store.counted() == {("list_segments", outcome): 1}
    assert store.counted(SECONDS) == {("list_segments", outcome): 1}


async def test_request_that_the_stop_cuts_off_is_cancelled() -> None:
    store = emulated(latency_seconds=600)
    asked = asyncio.create_task(store.client.send(LIST, 600))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait({asked})
    assert store.counted() == {("list_segments", "cancelled"): 1}


async def test_request_is_counted_with_the_time_until_its_answer() -> None:
    store = emulated(latency_seconds=0.05)
    await store.client.send(LIST, 30)
    assert store.counted("http_client_request_duration_seconds_sum").popitem()[1] >= 0.05
    counted = store.counted("http_client_request_duration_seconds_bucket")
    assert ("0.05", "list_segments", "ok") not in counted
    assert counted["+Inf", "list_segments", "ok"] == 1


async def test_redirect_has_failed() -> None:
    store = Store(httpx.MockTransport(lambda _: httpx.Response(302, stream=httpx.ByteStream(b""))))
    await store.client.send(LIST, 30)
    assert store.counted() == {("list_segments", "failed"): 1}


class Remembering(Instrumentation):
    """Keeps the records of upstream requests."""

    def __init__(self) -> None:
        self.records: list[UpstreamRecord] = []

    def upstream_request(self, record: UpstreamRecord) -> Surrounding:
        self.records.append(record)
        return super().upstream_request(record)


async def test_record_has_what_is_left_of_the_quota_if_the_answer_says_it() -> None:
    kept = Remembering()
    rules = [Rule(None, times=1), Rule(Fault.OVERLOADED)]
    app = create_emulator(seeded_store(3), faults=Faults(rules), rate_limit_quota=150)
    client = client_over(EmulatedWire(app), kept)
    for _ in rules:
        await client.send(LIST, 30)
    assert [one.quota_remaining for one in kept.records] == [149, None]
