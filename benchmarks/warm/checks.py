"""Warms a server, and checks that its answers are right: a benchmark of errors proves nothing."""

import random
from typing import Any

import httpx

from benchmarks.warm.static import FixedAnswer
from benchmarks.warm.works import PAGE_SIZE, Rows, Work
from benchmarks.warm.wrk import headers_of

ROWS_A_REQUEST = 100
SAMPLES = 20
SET_BY_SERVERS = ("date", "server", "connection", "content-length")
WALK = (
    "query($first: Int, $after: String) { segments(first: $first, after: $after) "
    "{ edges { cursor node { entityId } } pageInfo { hasNextPage endCursor } } }"
)
BY_IDS = "query($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { entityId } }"


class WrongAnswer(Exception):
    """A server's answer is an error, or lacks data; the message says which."""


class Examiner:
    """Asks one server, and checks its answers."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = httpx.Client(timeout=30, trust_env=False)

    def __enter__(self) -> "Examiner":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def warm(self) -> Rows:
        """Reads the whole list, and each row by id."""
        edges: list[tuple[str, str]] = []
        after: str | None = None
        while True:
            variables: dict[str, object] = {"first": ROWS_A_REQUEST, "after": after}
            found = self._data(WALK, variables)["segments"]
            edges += [(edge["cursor"], edge["node"]["entityId"]) for edge in found["edges"]]
            after = found["pageInfo"]["endCursor"]
            if not found["pageInfo"]["hasNextPage"]:
                break
        cursors = [cursor for cursor, _ in edges]
        ids = [one for _, one in edges]
        for at in range(0, len(ids), ROWS_A_REQUEST):
            self._data(BY_IDS, {"ids": ids[at : at + ROWS_A_REQUEST]})
        return Rows(ids, cursors[: len(cursors) - PAGE_SIZE])

    def etag_of(self, work: Work) -> str | None:
        """Returns the `ETag` of the answer to a GET."""
        return self._send(work, "", headers_of(work)).headers.get("ETag") if work.is_get else None

    def check(self, work: Work, rows: Rows, etag: str | None = None) -> FixedAnswer:
        """Returns a right answer; raises `WrongAnswer` if one of several is not."""
        places = random.Random(1)
        choice = {"id": rows.ids, "cursor": rows.cursors}

        def fill(hole: str) -> str:
            if hole == "number":
                return str(places.getrandbits(40))
            return places.choice(choice[hole])

        headers = headers_of(work, etag)
        for _ in range(SAMPLES):
            response = self._send(work, work.body(fill), headers)
            if not (etag and response.status_code == 304):
                data_of(response)
        body = response.content.decode()
        if response.status_code == 304:
            bare = [name for name in response.headers if name not in SET_BY_SERVERS]
            return FixedAnswer(304, [(name, response.headers[name]) for name in bare], "")
        kind = response.headers["Content-Type"]
        length = str(len(response.content))
        return FixedAnswer(200, [("content-type", kind), ("content-length", length)], body)

    def _send(self, work: Work, body: str, headers: dict[str, str]) -> httpx.Response:
        if work.is_get:
            return self._http.get(self._url + work.query_string, headers=headers)
        return self._http.post(self._url, content=body, headers=headers)

    def _data(self, document: str, variables: dict[str, object]) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        return data_of(self._http.post(self._url, json=body))


def data_of(response: httpx.Response) -> dict[str, Any]:
    """Returns the data of an answer; raises `WrongAnswer` if any of it failed or is absent."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    data: dict[str, Any] = (answer.get("data") if isinstance(answer, dict) else None) or {}
    lacks = not data or any(
        field is None or (isinstance(field, list) and None in field) for field in data.values()
    )
    if response.status_code != 200 or lacks or "errors" in answer:
        raise WrongAnswer(f"status {response.status_code}: {response.text[:300]}")
    return data
