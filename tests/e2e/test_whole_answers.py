"""Answers that `gateway serve` sends whole, by the byte: they are those of the ordinary way."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec
from processes import emulator_on_a_port, gateway_over
from raw_http import Connection

from gateway.api_keys import create_api_key
from gateway.identity import AccessScope

DOCUMENT = "{ segments(first: 2) { nodes { name } } }"
PATH = "/graphql?query=" + quote(DOCUMENT)
BODY = b'{"query":"%b"}' % DOCUMENT.encode()
# A header twice is handed on to the rest of the application.
TWICE = ("X-Twice: 1", "X-Twice: 2")


def request(method: str, *headers: str, host: str = "localhost", path: str = PATH) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if method != "POST":
        return "\r\n".join([*lines, "", ""]).encode()
    lines += ["Content-Type: application/json", f"Content-Length: {len(BODY)}"]
    return "\r\n".join([*lines, "", ""]).encode() + BODY


def post(*headers: str) -> bytes:
    return request("POST", *headers, path="/graphql")


class Client(Connection):
    """One connection to a gateway, whose answers are read as HTTP has them."""

    def read(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Returns the next answer: status, headers by names in lower case, content."""
        status, head = self.head()
        headers = joined(head)
        has_content = method != "HEAD" and status != 304
        size = int(headers["content-length"]) if has_content else 0
        return status, headers, self.stream.read(size)

    def ask(self, method: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
        self.send(post(*headers) if method == "POST" else request(method, *headers))
        return self.read(method)

    def refusal(self, data: bytes) -> tuple[int, str]:
        """Returns status and code of the first error of the answer to a request."""
        self.send(data)
        status, _, body = self.read()
        code: str = msgspec.json.decode(body)["errors"][0]["extensions"]["code"]
        return status, code


def joined(head: Message) -> dict[str, str]:
    """Headers by names in lower case; lines of one name are one list (RFC 9110, 5.3)."""
    return {name.lower(): ", ".join(head.get_all(name, [])) for name in head}


@contextmanager
def connections(**settings: str) -> Iterator[list[Client]]:
    """Yields the connections to a gateway over three segments; the first is open."""
    with emulator_on_a_port(3) as (url, _), gateway_over(url, **settings) as gateway:
        address = urlsplit(gateway)
        assert address.hostname is not None
        assert address.port is not None
        clients = [Client((address.hostname, address.port)) for _ in range(3)]
        try:
            yield clients
        finally:
            for client in clients:
                client.close()


def test_whole_answers_are_those_of_the_ordinary_way() -> None:
    settings = {"ALLOW_ANONYMOUS": "read", "ALLOW_GET_DOCUMENTS": "true"}
    # No second passes between an answer and the other that it is compared with.
    with connections(CACHE_TTL_SECONDS="600", **settings) as (client, closed, other):
        for method in ("GET", "POST"):
            for _ in range(3):
                client.ask(method)
        etag = client.ask("GET")[1]["etag"]

        for method, condition in (
            ("GET", "X-None: 0"),
            ("HEAD", "X-None: 0"),
            ("POST", "X-None: 0"),
            ("GET", f"If-None-Match: {etag}"),
            ("HEAD", "If-None-Match: *"),
            ("POST", "If-None-Match: *"),
        ):
            is_known = method != "POST" and condition != "X-None: 0"
            whole = client.ask(method, condition, "X-Request-Id: one")
            for _ in range(2):  # once more if a second has just passed
                ordinary = client.ask(method, condition, *TWICE, "X-Request-Id: one")
                if ordinary[1]["age"] == whole[1]["age"]:
                    break
                whole = client.ask(method, condition, "X-Request-Id: one")
            for answer in (whole, ordinary):
                answer[1].pop("date")
            assert whole == ordinary
            status, headers, body = whole
            expected = {
                "age": headers["age"],
                "cache-control": headers["cache-control"],
                "cross-origin-resource-policy": "same-origin",
                "vary": "Accept, Authorization",
                "x-content-type-options": "nosniff",
                "x-request-id": "one",
            }
            if not is_known:
                length = headers["content-length"]
                expected["content-type"] = "application/json; charset=utf-8"
                expected["content-length"] = length if method == "HEAD" else str(len(body))
            if method != "POST":
                expected["etag"] = etag
            if method != "POST" and not is_known:
                expected["cache-tag"] = headers["cache-tag"]
            assert headers == expected
            assert status == (304 if is_known else 200)
            assert re.fullmatch("private, max-age=(599|600)", headers["cache-control"])
            assert (body == b"") == (method == "HEAD" or is_known)

        for sent in ((), ("X-Request-Id: not sane",), ("X-Request-Id: " + 129 * "a",)):
            assert re.fullmatch("[0-9a-f]{32}", client.ask("GET", *sent)[1]["x-request-id"])
        assert "date" in client.ask("GET", "If-None-Match: *")[1]

        # Pipelined, a slow one (never asked before) among them.
        unknown = request("GET", "X-Request-Id: c", path=PATH + "%20%23new")
        client.send(
            request("GET", "X-Request-Id: a")
            + request("HEAD", "X-Request-Id: b")
            + unknown
            + request("GET", "X-Request-Id: d", "If-None-Match: *")
            + post("X-Request-Id: e")
        )
        answers = [client.read(method) for method in ("GET", "HEAD", "GET", "GET", "POST")]
        assert [headers["x-request-id"] for _, headers, _ in answers] == [*"abcde"]
        assert [status for status, _, _ in answers] == [200, 200, 200, 304, 200]

        assert "connection" not in client.ask("GET")[1]
        assert closed.ask("GET", "Connection: close")[1]["connection"] == "close"
        assert closed.is_at_its_end
        other.send(request("HEAD", "Connection: close", "If-None-Match: *"))
        status, headers, _ = other.read("HEAD")
        assert (status, headers["connection"], "content-length" in headers) == (304, "close", False)
        assert other.is_at_its_end

        for data, refused in (
            (request("GET", "Origin: https://elsewhere.example"), (403, "FORBIDDEN")),
            (post("Origin: https://elsewhere.example"), (403, "FORBIDDEN")),
            (request("GET", "Sec-Fetch-Site: cross-site"), (403, "FORBIDDEN")),
            (request("GET", host="elsewhere.example"), (421, "BAD_REQUEST")),
            (request("GET", "Accept: image/png"), (406, "BAD_REQUEST")),
            (post("Content-Encoding: gzip"), (415, "BAD_REQUEST")),
        ):
            assert client.refusal(data) == refused
        assert client.ask("GET", "Accept: text/css", "Accept: application/json")[0] == 200

        # An interim answer, if the body has not come; the connection stays.
        head, _, _ = post("Expect: 100-continue").partition(b"\r\n\r\n")
        client.send(head + b"\r\n\r\n")
        assert client.head()[0] == 100
        client.send(BODY)
        assert client.read()[2].startswith(b'{"data":{"segments":')
        for expectation in ("100-continue", "something"):
            status, headers, _ = client.ask("POST", f"Expect: {expectation}")
            assert (status, "connection" in headers) == (200, False)


def test_what_lies_in_the_cache_is_for_those_who_may_have_it(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    reader = f"Authorization: Bearer {create_api_key(file, 'web', [AccessScope.SEGMENTS_READ])}"
    router = f"Authorization: Bearer {create_api_key(file, 'router', [AccessScope.FEDERATION])}"
    settings = {"API_KEYS_FILE": str(file), "ALLOW_GET_DOCUMENTS": "true", "SHARED_CACHES": "true"}
    with connections(**settings) as (client, *_):
        for method in ("GET", "POST"):
            for _ in range(4):
                status, headers, body = client.ask(method, reader)
                assert (status, body[:20]) == (200, b'{"data":{"segments":')
                assert headers["cache-control"].startswith("private, max-age=")
            for sent in ((), ("Authorization: Bearer gwk_wrong",), ("If-None-Match: *",)):
                status, headers, body = client.ask(method, *sent)
                assert (status, headers["cache-control"]) == (401, "no-store")
                assert msgspec.json.decode(body)["errors"][0]["extensions"]["code"] == (
                    "UNAUTHENTICATED"
                )
            for sent in ((), ("If-None-Match: *",)):
                status, headers, body = client.ask(method, router, *sent)
                assert (status, headers["cache-control"]) == (200, "no-store")
                answer = msgspec.json.decode(body)
                assert answer["data"] == {"segments": None}
                assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
