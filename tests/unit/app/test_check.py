"""The whole check over an emulated store, and over answers that no store gives."""

import errno
import itertools
import json
import re
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from in_process import EmulatedWire
from redis_server import redis_server
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.app import CheckReport, check
from gateway.app.check.findings import AcceptedNumber, CustomerIncludes, Finding, Verdict
from gateway.app.check.redis import RedisState, check_redis
from gateway.app.check.results import CheckResult, CheckState, problem, warning
from gateway.app.check.store import NO_ANSWER
from gateway.emulator import create_emulator, seeded_store
from gateway.emulator.app import Emulator
from gateway.settings import load_settings

VARIABLES = {
    "GATEWAY_STORE_HASH": "abc123",
    "GATEWAY_ACCESS_TOKEN": "t0k3n",
    "GATEWAY_ALLOW_ANONYMOUS": "read",
}
STORE = load_settings(VARIABLES)
NO_SUCH_ID = b"00000000-0000-4000-8000-000000000000"
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "check.md"

READS = {
    "list_segments": 2,  # all, and by id
    "list_shopper_profiles": 1,
    "list_segment_shopper_profiles": 1,
    "list_shopper_profile_segments": 1,
    "list_customers": 2,  # by id, and by e-mail
}


def emulator_of(segments: int = 120, profiles: int = 20, **behaviour: object) -> Starlette:
    return create_emulator(
        seeded_store(segments, profiles),
        store_hash="abc123",
        token="t0k3n",
        clock=lambda: 0.0,
        **behaviour,  # type: ignore[arg-type]
    )


class DatedWire(EmulatedWire):
    """Answers over TLS, with the date of second 0."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        response.headers["Date"] = "Thu, 01 Jan 1970 00:00:00 GMT"
        tls = SimpleNamespace(version=lambda: "TLSv1.3")
        response.extensions["network_stream"] = SimpleNamespace(get_extra_info=lambda _: tls)
        return response


def results(report: CheckReport) -> dict[str, CheckResult]:
    return {one.name: one for one in report.checks}


def result(report: CheckReport, name: str) -> CheckResult:
    return results(report)[name]


async def checked(app: ASGIApp) -> CheckReport:
    return await check(STORE, EmulatedWire(app))


def requests_of(app: Starlette) -> Counter[str]:
    emulator = app.state.emulator
    assert isinstance(emulator, Emulator)
    return emulator.requests


def verdicts(report: CheckReport) -> dict[str, Verdict]:
    """The verdict on each read; the last one is on all writes."""
    found = {name: finding.verdict for name, finding in report.store.findings.by_operation.items()}
    writes = {verdict for name, verdict in found.items() if not name.startswith("list_")}
    (verdict,) = writes
    return {name: found[name] for name in found if name.startswith("list_")} | {"writes": verdict}


ALL_ALLOWED = {
    "list_segments": Verdict.MAY,
    "list_segments_by_id": Verdict.MAY,
    "list_shopper_profiles": Verdict.MAY,
    "list_segment_shopper_profiles": Verdict.MAY,
    "list_shopper_profile_segments": Verdict.MAY,
    "list_customers_by_id": Verdict.MAY,
    "list_customers_by_email": Verdict.MAY,
    "writes": Verdict.NOT_TRIED,
}


async def test_token_of_all_scopes_costs_seven_reads() -> None:
    app = emulator_of()
    report = await checked(app)
    assert report.problems == []
    assert verdicts(report) == ALL_ALLOWED
    assert report.store.findings.by_operation["create_segments"].has_scope is True
    assert report.store.findings.page_size == AcceptedNumber(250)
    assert report.store.findings.ids_at_once == AcceptedNumber(100)
    assert report.store.findings.customer_includes == CustomerIncludes(True, True)
    assert requests_of(app) == READS
    assert report.requests == 7


async def test_token_that_only_reads_may_not_read_members_nor_write() -> None:
    app = emulator_of(token_scope="store_v2_customers_read_only")
    report = await checked(app)
    assert report.problems == []
    assert verdicts(report) == ALL_ALLOWED | {"list_segment_shopper_profiles": Verdict.MAY_NOT}
    assert report.store.findings.by_operation["delete_segments"] == Finding(
        Verdict.NOT_TRIED,
        "list_segment_shopper_profiles, which needs the same scope, was refused.",
        "GATEWAY_ACCESS_TOKEN has to have the scope store_v2_customers, for writes too.",
        has_scope=False,
    )
    assert requests_of(app) == READS


async def test_token_without_scope_costs_one_read() -> None:
    app = emulator_of(token_scope=None)
    report = await checked(app)
    assert report.problems == ["list_segments"]
    assert result(report, "token") == problem(
        "token",
        "The API refused the token.",
        "GATEWAY_ACCESS_TOKEN has to be of the store that GATEWAY_STORE_HASH names, with the scope "
        "store_v2_customers_read_only.",
    )
    assert requests_of(app) == {"list_segments": 1}


async def test_store_without_segments_says_nothing_about_writes() -> None:
    app = emulator_of(segments=0)
    report = await checked(app)
    assert report.problems == []
    assert verdicts(report) == ALL_ALLOWED | {
        "list_segments_by_id": Verdict.NOT_KNOWN,
        "list_segment_shopper_profiles": Verdict.NOT_KNOWN,
        "writes": Verdict.NOT_KNOWN,
    }
    assert (
        report.store.findings.by_operation["create_segments"].reason == "The store has no segment."
    )
    assert requests_of(app) == {
        "list_segments": 1,
        "list_shopper_profiles": 1,
        "list_shopper_profile_segments": 1,
        "list_customers": 2,
    }


async def test_store_without_profiles_leads_to_no_customer() -> None:
    app = emulator_of(profiles=0)
    report = await checked(app)
    assert report.problems == []
    assert verdicts(report) == ALL_ALLOWED | {
        "list_shopper_profile_segments": Verdict.NOT_KNOWN,
        "list_customers_by_id": Verdict.NOT_KNOWN,
        "list_customers_by_email": Verdict.NOT_KNOWN,
    }
    reason = report.store.findings.by_operation["list_customers_by_id"].reason
    assert reason == "The store has no shopper profile."
    assert report.store.findings.customer_includes is None
    assert report.requests == 4


@pytest.mark.parametrize(("over_limit", "requests"), [("clamp", 7), ("refuse", 8)])
async def test_page_size_that_the_store_takes_is_reported(over_limit: str, requests: int) -> None:
    report = await checked(emulator_of(max_limit=100, over_limit=over_limit))
    assert report.problems == []
    assert report.store.findings.page_size == AcceptedNumber(100, too_many=250)
    assert report.store.findings.ids_at_once == AcceptedNumber(100)
    assert report.requests == requests


@pytest.mark.parametrize("status", [413, 414, 422])
async def test_number_of_ids_is_halved_until_the_store_takes_it(status: int) -> None:
    app = emulator_of()

    async def picky(scope: Scope, receive: Receive, send: Send) -> None:
        ids = QueryParams(scope["query_string"]).get("id:in", "").split(",")
        answer: ASGIApp = Response(status_code=status) if len(ids) > 40 else app
        await answer(scope, receive, send)

    report = await checked(picky)
    assert report.problems == []
    assert report.store.findings.ids_at_once == AcceptedNumber(25, too_many=50)
    assert report.requests == 9
    assert requests_of(app) == READS


def rewritten(app: ASGIApp, operation: bytes, old: bytes, new: bytes) -> ASGIApp:
    """A store that reads one text as another in the queries that have `operation`."""

    async def rewrite(scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"]
        if operation in query:
            scope = {**scope, "query_string": re.sub(old, new, query)}
        await app(scope, receive, send)

    return rewrite


async def test_number_of_ids_is_halved_until_the_answer_has_them_all() -> None:
    report = await checked(rewritten(emulator_of(), b"id%3Ain", b"limit=[0-9]+", b"limit=30"))
    assert report.store.findings.page_size == AcceptedNumber(250)
    assert report.store.findings.ids_at_once == AcceptedNumber(25, too_many=50)
    assert report.requests == 9


async def test_store_that_finds_no_segment_by_id_has_a_problem() -> None:
    app = emulator_of()
    report = await checked(rewritten(app, b"id%3Ain", b"[0-9a-f]{8}-[^&]*", NO_SUCH_ID))
    assert report.problems == ["list_segments_by_id"]
    assert report.store.findings.by_operation["list_segments_by_id"] == Finding(
        Verdict.FAILED, "The store's API does not find a segment of its list."
    )
    assert report.store.findings.ids_at_once is None
    assert report.requests == 13  # by id 100, 50, 25, 12, 6, 3 and 1


async def test_includes_that_do_not_come_are_reported() -> None:
    report = await checked(rewritten(emulator_of(), b"include=", b"include=[^&]+&?", b""))
    assert report.problems == []
    assert report.store.findings.customer_includes == CustomerIncludes(False, False)
    assert report.requests == 7


async def test_answers_without_quota_headers_are_reported() -> None:
    app = emulator_of()

    async def bare(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_bare(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in [name for name in headers if name.startswith("x-rate-limit-")]:
                    del headers[name]
            await send(message)

        await app(scope, receive, send_bare)

    report = await checked(bare)
    assert report.problems == []
    assert report.store.quota is None
    assert result(report, "quota").says == "The answers have no X-Rate-Limit headers."
    assert result(report, "quota").state is CheckState.WARNING


async def test_upstream_that_is_down_is_named_with_the_cause() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("", request=request)

    report = await check(STORE, httpx.MockTransport(fail))
    assert report.problems == ["list_segments"]
    assert result(report, "address") == problem(
        "address",
        "The store's API cannot be reached.",
        "The reason: connection broken while its answer was read.",
    )
    assert [name for name, one in results(report).items() if one.says == NO_ANSWER] == [
        "token",
        "quota",
        "page_size",
        "ids_at_once",
        "clock",
    ]
    assert report.requests == 1


async def test_one_read_that_fails_leaves_the_others_alone() -> None:
    app = emulator_of()

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        fails = scope["path"].endswith("/v3/shopper-profiles")
        answer: ASGIApp = Response(status_code=404) if fails else app
        await answer(scope, receive, send)

    report = await checked(failing)
    assert report.problems == []
    assert report.store.findings.by_operation["list_shopper_profiles"] == Finding(
        Verdict.FAILED, "The store's API refused the request with status 404."
    )
    reason = report.store.findings.by_operation["list_customers_by_id"].reason
    assert reason == "list_shopper_profiles failed."
    assert verdicts(report) == ALL_ALLOWED | {
        "list_shopper_profiles": Verdict.FAILED,
        "list_shopper_profile_segments": Verdict.NOT_KNOWN,
        "list_customers_by_id": Verdict.NOT_KNOWN,
        "list_customers_by_email": Verdict.NOT_KNOWN,
    }


def answering(status: int) -> Callable[[httpx.Request], httpx.Response]:
    """Gives this answer to every request."""
    headers = {"Content-Type": "application/json", "Location": "https://elsewhere.example/"}
    return lambda _: httpx.Response(status, headers=headers, stream=httpx.ByteStream(b"null"))


@pytest.mark.parametrize(
    ("status", "sentence", "to_do", "requests"),
    [
        (
            301,
            "The store's API failed with status 301.",
            "That is a redirect, which the gateway does not follow. Check GATEWAY_UPSTREAM_URL: "
            "its scheme, its host and its path.",
            1,
        ),
        (
            404,
            "The store's API refused the request with status 404.",
            "Check GATEWAY_UPSTREAM_URL and GATEWAY_STORE_HASH.",
            1,
        ),
        (422, "The store's API refused the request with status 422.", "", 3),
        (
            503,
            "The store's API failed with status 503.",
            "Try again later, and look at https://status.bigcommerce.com.",
            1,
        ),
    ],
)
async def test_check_names_a_status_and_the_setting_to_mend(
    status: int, sentence: str, to_do: str, requests: int
) -> None:
    report = await check(STORE, httpx.MockTransport(answering(status)))
    assert report.problems == ["list_segments"]
    assert result(report, "address") == problem("address", sentence, to_do)
    assert report.requests == requests


def reason_for(error: OSError) -> Callable[[httpx.Request], httpx.Response]:
    """Fails to connect for this reason."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("", request=request) from error

    return fail


def not_verified(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.parametrize(
    ("error", "to_do"),
    [
        (
            socket.gaierror(-2, "Name or service not known"),
            "The reason: name not known. Check the host of GATEWAY_UPSTREAM_URL, and the DNS of "
            "this machine or container.",
        ),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, ""),
            "The reason: connection refused. Nothing listens there: check the host and the port of "
            "GATEWAY_UPSTREAM_URL.",
        ),
        (
            OSError(errno.EHOSTUNREACH, ""),
            "The reason: no route to host. Check the network of this machine or container, and "
            "firewalls on the way.",
        ),
        (
            not_verified(10, "certificate has expired"),
            "The reason: TLS: certificate not accepted: certificate has expired. Check the clock "
            "of this machine; if it is right, the certificate has to be renewed.",
        ),
        (
            not_verified(62, "Hostname mismatch, certificate is not valid for 'a'."),
            "The reason: TLS: certificate not accepted: Hostname mismatch. Check the host of "
            "GATEWAY_UPSTREAM_URL: the certificate is for another name.",
        ),
        (
            not_verified(20, "unable to get local issuer certificate"),
            "The reason: TLS: certificate not accepted: unable to get local issuer certificate; "
            "GATEWAY_UPSTREAM_CA_FILE has to name a file with its issuer's certificate.",
        ),
        (
            ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
            "The reason: TLS: wrong version number. What listens there does not speak TLS: check "
            "the scheme and the port of GATEWAY_UPSTREAM_URL.",
        ),
    ],
    ids=["dns", "refused", "no route", "expired", "other name", "issuer", "no TLS"],
)
async def test_each_kind_of_failed_connection_says_what_to_do(error: OSError, to_do: str) -> None:
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLCertVerificationError):
        error.reason = "WRONG_VERSION_NUMBER"
    report = await check(STORE, httpx.MockTransport(reason_for(error)))
    address = problem("address", "The store's API cannot be reached.", to_do)
    assert result(report, "address") == address


async def test_clock_that_is_ahead_of_the_store_s_is_a_warning() -> None:
    report = await check(STORE, DatedWire(emulator_of()), now=lambda: 301.0)
    assert report.problems == []
    assert result(report, "clock") == warning(
        "clock",
        "This machine's clock is 301 seconds ahead of the store's.",
        "Set it by NTP: the tokens of clients and what replicas share by Redis depend on it.",
    )


async def test_redis_gets_one_key_that_expires() -> None:
    with redis_server() as redis:
        settings = load_settings({**VARIABLES, "GATEWAY_REDIS_URL": redis.url})
        report = await check(settings, EmulatedWire(emulator_of()), lambda: 0.0)
        assert report.problems == []
        assert result(report, "redis").says == (
            "Connected by plain TCP: one key was written, which expires after a second, and read "
            "in 0 ms."
        )
        assert {b"segments-gateway:check"} >= {*redis.admin.keys()}
        assert redis.admin.pttl("segments-gateway:check") <= 1000
        assert redis.admin.info("commandstats")["cmdstat_set"]["calls"] == 1
        redis.fill()
        full = await check(settings, EmulatedWire(emulator_of()))
    assert full.problems == ["redis"]
    assert result(full, "redis").says == "It refuses writes: it is full (maxmemory)."
    gone = await check(settings, EmulatedWire(emulator_of()))
    assert result(gone, "redis").says == "It is away: connection refused."


async def documented() -> CheckReport:
    """The report of docs/check.md."""
    app = emulator_of(token_scope="store_v2_customers_read_only")
    report = await check(STORE, DatedWire(app), itertools.count(0, 0.04).__next__, lambda: 1.0)
    redis = check_redis(RedisState("connected", uses_tls=True, milliseconds=1.0))
    return replace(report, groups={**report.groups, "Redis": [redis]}, redis="connected")


async def test_json_is_the_object_that_is_documented() -> None:
    report = await documented()
    assert "t0k3n" not in report.as_json()
    page = DOCUMENTATION.read_text(encoding="utf-8")
    shown = page.partition("```json\n")[2].partition("\n```")[0]
    assert json.loads(report.as_json()) == json.loads(shown)


async def test_text_is_the_report_that_is_documented() -> None:
    assert (await documented()).as_text() in DOCUMENTATION.read_text(encoding="utf-8")


async def test_every_check_has_its_row_in_order() -> None:
    table = DOCUMENTATION.read_text(encoding="utf-8").partition("## Checks")[2]
    rows = re.findall(r"^\| `(\w+)` \|", table.partition("\n## ")[0], re.MULTILINE)
    assert rows == [one.name for one in (await documented()).checks]
