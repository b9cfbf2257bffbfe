"""The pure parts of `make bench`: requests, scripts of wrk, what its output says, the table."""

import json
import re
from collections import Counter

import httpx
import pytest
from graphql import parse, validate

from benchmarks.warm.__main__ import disturbed, parsed
from benchmarks.warm.checks import WrongAnswer, data_of
from benchmarks.warm.figures import HEAD, Figure, Figures
from benchmarks.warm.memory import DOCUMENTS
from benchmarks.warm.static import FixedAnswer, messages
from benchmarks.warm.works import WORKS, Rows, Work
from benchmarks.warm.wrk import LoadFailed, headers_of, load_of, script
from gateway.app import create_graph
from gateway.settings import Settings

BY_NAME = {work.name: work for work in WORKS}
ROWS = Rows(["i1", "i2"], ['c"1'])
OUTPUT = """\
Running 1s test @ http://127.0.0.1:4000/graphql
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.02ms  100.00us   2.00ms   90.00%
  31076 requests in 1.00s, 392.10MB read
{failed}Requests/sec:  30770.25
Transfer/sec:    388.23MB
"""


def body_of(work: Work) -> dict[str, object]:
    body = json.loads(work.body(lambda hole: "7" if hole == "number" else f"a {hole}"))
    assert isinstance(body, dict)
    return body


def test_requests_have_variables_with_ids_and_cursors() -> None:
    assert body_of(BY_NAME["page"])["variables"] == {}
    assert body_of(BY_NAME["pages"])["variables"] == {"first": 50, "after": "a cursor"}
    assert body_of(BY_NAME["pages"])["extensions"] == {"request": 7}
    assert body_of(BY_NAME["ids"])["variables"] == {"ids": ["a id"] * 20}
    assert body_of(BY_NAME["aliases"])["variables"] == {f"a{at}": "a id" for at in range(20)}
    assert body_of(BY_NAME["entities"])["variables"] == {
        "representations": [{"__typename": "Segment", "entityId": "a id"}] * 100
    }


def test_holes_are_filled_one_by_one() -> None:
    filled: Counter[str] = Counter()

    def fill(hole: str) -> str:
        filled[hole] += 1
        return "1"

    for work in WORKS:
        work.body(fill)
    assert filled == {"id": 140, "cursor": 1, "number": 1}


def test_documents_are_valid() -> None:
    schema = create_graph(Settings()).subgraph._schema
    for work in (*WORKS, *DOCUMENTS):
        assert validate(schema, parse(work.document)) == []


def test_a_get_has_its_document_in_the_url_and_an_etag() -> None:
    get = BY_NAME["get"]
    assert [work.name for work in WORKS if work.is_get] == ["get"]
    assert get.query_string.startswith("?query=%7B%20segments%28first%3A%2050%29")
    assert get.pieces == [""]
    assert headers_of(get, 'W/"x"') == {"Accept": "application/json", "If-None-Match": 'W/"x"'}
    assert headers_of(get) == {"Accept": "application/json"}
    assert headers_of(BY_NAME["ids"], 'W/"x"') == {
        "Accept": "application/json",
        "Content-Type": "application/json",
    }


def test_a_script_has_rows_pieces_and_head() -> None:
    work = Work("some", "a title", '{ a(b: "c") }', '"variables":{"v":"<id>"}')
    lines = script(work, ROWS, {"Accept": "x", "If-None-Match": 'W/"y"'}).splitlines()
    assert lines[0] == r'local rows = { id = {"i1","i2"}, cursor = {"c\"1"} }'
    assert lines[1] == (
        r'local pieces = {"{\"query\":\"{ a(b: \\\"c\\\") }\",\"variables\":{\"v\":\"",'
        r'"id","\"}}"}'
    )
    text = "\n".join(lines)
    assert 'head = "POST " .. wrk.path .. "" .. " HTTP/1.1\\r\\nHost: "' in text
    assert r'.. "Accept: x\r\nIf-None-Match: W/\"y\"\r\n"' in text


def test_a_script_of_a_get_appends_its_query_string_to_the_path() -> None:
    get = BY_NAME["get"]
    assert f'"GET " .. wrk.path .. "{get.query_string}" .. ' in script(get, ROWS, {})


def test_load_is_what_wrk_has_counted() -> None:
    load = load_of(OUTPUT.format(failed=""))
    assert (load.requests, load.a_second) == (31076, 30770.25)


@pytest.mark.parametrize(
    "failed",
    ["  Non-2xx or 3xx responses: 1\n", "  Socket errors: connect 0, read 1, write 0, timeout 0\n"],
)
def test_load_with_a_failed_request_is_refused(failed: str) -> None:
    with pytest.raises(LoadFailed, match=re.escape(failed.strip())):
        load_of(OUTPUT.format(failed=failed))
    with pytest.raises(LoadFailed, match="unable to connect"):
        load_of("unable to connect to 127.0.0.1:4000 Connection refused")


def test_table_has_medians_and_shares() -> None:
    figures = Figures()
    for rate, cpu, upstream in ((100.0, 10.0, 0), (1000.0, 30.4, 0), (200.0, 20.0, 1)):
        figures.add("page", "static", Figure(2 * rate, cpu / 2, 0))
        figures.add("page", "gateway", Figure(rate, cpu, upstream))
        figures.add("page", "rival", Figure(1.0, None, None))
    assert figures.lines(
        [BY_NAME["page"], BY_NAME["ids"]], ["static", "gateway", "rival"], whole="static"
    ) == [
        *HEAD,
        "| the same page of 50 | static | 400 | 1.000 | 10 | 0 |",
        "| the same page of 50 | gateway | 200 | 0.500 | 20 | 1 |",
        "| the same page of 50 | rival | 1 | 0.003 | – | – |",
    ]


def test_a_server_that_lacked_its_core_is_said() -> None:
    figures = Figures()
    assert disturbed(figures.least_busy()) == ""
    for cpu in (950.0, 920.0, 100.0):
        figures.add("page", "gateway", Figure(1000, cpu, 0))
    figures.add("page", "rival", Figure(1000, None, None))
    assert figures.least_busy() == pytest.approx(0.92)
    assert disturbed(figures.least_busy()) == ""
    figures.add("ids", "gateway", Figure(1000, 520, 0))
    assert disturbed(figures.least_busy()).startswith(" A server used only 52% of its core:")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '{"data":{"segments":null}}'),
        (200, '{"data":{"_entities":[{"id":"1"},null]}}'),
        (200, '{"data":{"segment":{"id":"1"}},"errors":[]}'),
        (200, '{"data":{}}'),
        (200, "[]"),
        (200, "<html>"),
        (500, '{"data":{"segment":{"id":"1"}}}'),
    ],
)
def test_an_answer_that_lacks_something_is_wrong(status: int, body: str) -> None:
    with pytest.raises(WrongAnswer, match=f"status {status}"):
        data_of(httpx.Response(status, text=body))


def test_an_answer_with_all_its_data_is_right() -> None:
    body = '{"data":{"segment":{"id":"1"},"ids":[{"id":"1"}]},"extensions":{}}'
    data = data_of(httpx.Response(200, text=body))
    assert data == {"segment": {"id": "1"}, "ids": [{"id": "1"}]}


def test_static_sends_status_headers_and_bytes() -> None:
    start, body = messages(FixedAnswer(304, [("etag", "x")], "é"))
    assert start == {"type": "http.response.start", "status": 304, "headers": [(b"etag", b"x")]}
    assert body == {"type": "http.response.body", "body": "é".encode()}


def test_arguments_choose_works_and_add_servers() -> None:
    options = parsed(["ids", "page", "--url", "rival=http://[::1]:1/q?a=b"])
    assert [work.name for work in options.works] == ["page", "ids"]
    assert [(one.name, one.url, one.pid) for one in options.others] == [
        ("rival", "http://[::1]:1/q?a=b", None)
    ]
    assert (options.rounds, options.seconds) == (3, 3)


@pytest.mark.parametrize(
    ("argv", "is_whole"),
    [
        ([], True),
        (["--seconds", "1"], True),
        (["--rounds", "2"], False),
        (["page"], False),
        (["--url", "a=http://b"], False),
    ],
)
def test_only_a_whole_run_is_written_into_the_page(argv: list[str], is_whole: bool) -> None:
    assert parsed(argv).is_whole is is_whole


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["pge"], "there is no pge; there are page, pages, ids, aliases, get, entities"),
        (["--url", "http://b"], "--url is NAME=URL, not 'http://b'"),
        (["--rounds", "0"], "--rounds and --seconds have to be positive"),
    ],
)
def test_wrong_arguments_have_a_sentence(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        parsed(argv)
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err
