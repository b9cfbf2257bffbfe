"""How each contender is started, and how its clients ask for a page and for rows by id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from benchmarks.command import Command, free_port
from benchmarks.warm.contenders import STORE_HASH, TOKEN, Processes

MESH = Path(__file__).parent / "mesh"
PAGE_SIZE = 30
SEGMENTS_PATH = f"/stores/{STORE_HASH}/v3/segments"

CONNECTION = """query ($first: Int!, $after: String) {
  segments(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor } edges { node { entityId } } } }"""
ROWS = "query ($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { entityId } }"
# The fields that GraphQL Mesh makes of BigCommerce's OpenAPI file. `Accept` is a header there.
NUMBERED = """query ($page: Int!, $limit: Int!) {
  GetPaginatedSegmentsList(page: $page, limit: $limit, Accept: "application/json") {
    data { id } meta { pagination { total_pages } } } }"""
LISTED = """query ($ids: [String], $limit: Int!) {
  GetPaginatedSegmentsList(id_in: $ids, limit: $limit, Accept: "application/json") {
    data { id } } }"""


class ContenderFailed(Exception):
    """A client got an error instead of an answer."""


@dataclass(frozen=True, slots=True)
class PageOfIds:
    """The ids of a page, and where the next one begins; None after the last."""

    ids: list[str]
    after: str | None


class Dialect(Protocol):
    """How clients of a contender ask; both methods raise `ContenderFailed`."""

    async def page(self, http: httpx.AsyncClient, after: str | None) -> PageOfIds:
        """Returns a page of `PAGE_SIZE` segments."""
        ...

    async def rows(self, http: httpx.AsyncClient, ids: list[str]) -> list[str]:
        """Returns the ids of the segments that were found."""
        ...


async def _json(sent: httpx.Response) -> Any:
    answer = sent.json() if sent.status_code == 200 else {"errors": sent.status_code}
    if "errors" in answer:
        raise ContenderFailed(str(answer["errors"]))
    return answer["data"] if "query" in sent.request.content.decode()[:10] else answer


class RestDialect:
    """The store's own API, with no gateway between."""

    async def page(self, http: httpx.AsyncClient, after: str | None) -> PageOfIds:
        """Asks for the page of a number."""
        number = int(after or 1)
        asked = {"page": number, "limit": PAGE_SIZE}
        answer = await _json(await http.get(SEGMENTS_PATH, params=asked))
        is_last = number >= answer["meta"]["pagination"]["total_pages"]
        return PageOfIds(
            [row["id"] for row in answer["data"]], None if is_last else str(number + 1)
        )

    async def rows(self, http: httpx.AsyncClient, ids: list[str]) -> list[str]:
        """Asks for all ids at once."""
        asked: dict[str, str | int] = {"id:in": ",".join(ids), "limit": len(ids)}
        answer = await _json(await http.get(SEGMENTS_PATH, params=asked))
        return [row["id"] for row in answer["data"]]


class ConnectionDialect:
    """A graph with Relay connections: this gateway's, and the one written with Strawberry."""

    async def page(self, http: httpx.AsyncClient, after: str | None) -> PageOfIds:
        """Asks for the page behind a cursor."""
        variables = {"first": PAGE_SIZE, "after": after}
        answer = await http.post("/graphql", json={"query": CONNECTION, "variables": variables})
        connection = (await _json(answer))["segments"]
        page_info = connection["pageInfo"]
        return PageOfIds(
            [edge["node"]["entityId"] for edge in connection["edges"]],
            page_info["endCursor"] if page_info["hasNextPage"] else None,
        )

    async def rows(self, http: httpx.AsyncClient, ids: list[str]) -> list[str]:
        """Asks for all ids at once."""
        answer = await http.post("/graphql", json={"query": ROWS, "variables": {"ids": ids}})
        return [row["entityId"] for row in (await _json(answer))["segmentsByEntityId"]]


class OpenApiDialect:
    """The graph that GraphQL Mesh makes of the store's OpenAPI file."""

    async def page(self, http: httpx.AsyncClient, after: str | None) -> PageOfIds:
        """Asks for the page of a number."""
        number = int(after or 1)
        variables = {"page": number, "limit": PAGE_SIZE}
        answer = await http.post("/graphql", json={"query": NUMBERED, "variables": variables})
        found = (await _json(answer))["GetPaginatedSegmentsList"]
        is_last = number >= found["meta"]["pagination"]["total_pages"]
        return PageOfIds([row["id"] for row in found["data"]], None if is_last else str(number + 1))

    async def rows(self, http: httpx.AsyncClient, ids: list[str]) -> list[str]:
        """Asks for all ids at once, with commas, as the store wants them."""
        variables = {"ids": [",".join(ids)], "limit": len(ids)}
        answer = await http.post("/graphql", json={"query": LISTED, "variables": variables})
        return [row["id"] for row in (await _json(answer))["GetPaginatedSegmentsList"]["data"]]


@dataclass(frozen=True, slots=True)
class Rival:
    """A contender: `start` runs it over a store's URL, fresh for seconds; returns its URL."""

    name: str
    dialect: Dialect
    start: Callable[[Processes, str, int], str]


def _store_itself(processes: Processes, store_url: str, ttl: int) -> str:
    return store_url


def _this_gateway(processes: Processes, store_url: str, ttl: int) -> str:
    port = free_port()
    environment = {
        "GATEWAY_STORE_HASH": STORE_HASH,
        "GATEWAY_ACCESS_TOKEN": TOKEN,
        "GATEWAY_UPSTREAM_URL": store_url,
        "GATEWAY_CACHE_TTL_SECONDS": str(ttl),
    }
    processes.start(port, "gateway", "serve", "--port", str(port), environment=environment)
    return f"http://127.0.0.1:{port}"


def _strawberry(processes: Processes, store_url: str, ttl: int) -> str:
    port = free_port()
    arguments = (str(port), f"{store_url}/stores/{STORE_HASH}/v3/", TOKEN, str(ttl))
    processes.start(port, "benchmarks.warm.strawberry_app", *arguments)
    return f"http://127.0.0.1:{port}"


def hive_over(openapi_file: Path, folder: Path, *, with_cache: bool) -> Rival:
    """Returns Hive Gateway over what GraphQL Mesh composes of the store's OpenAPI file."""

    def start(processes: Processes, store_url: str, ttl: int) -> str:
        port = free_port()
        store = f"{store_url}/stores/{STORE_HASH}/v3"
        known = {"OPENAPI_FILE": str(openapi_file), "STORE_URL": store, "STORE_TOKEN": TOKEN}
        supergraph = folder / f"{port}.graphql"
        composed = Command(
            *(str(MESH / "node_modules/.bin/mesh-compose"), "-o", str(supergraph)),
            *("-c", "mesh.config.mjs"),
            environment=known,
            folder=MESH,
        )
        composed.start()
        status, _, errors = composed.end()
        if status != 0:
            raise RuntimeError(f"mesh-compose failed: {errors}")
        environment: Mapping[str, str] = {"RESPONSE_CACHE_MS": str(ttl * 1000 * with_cache)}
        processes.start_command(
            port,
            str(MESH / "node_modules/.bin/hive-gateway"),
            *("supergraph", str(supergraph), "--host", "127.0.0.1", "--port", str(port)),
            *("--config-path", "gateway.config.mjs"),
            environment=environment,
            folder=MESH,
        )
        return f"http://127.0.0.1:{port}"

    return Rival(
        "Hive Gateway and Mesh, response cache" if with_cache else "Hive Gateway and Mesh",
        OpenApiDialect(),
        start,
    )


STORE_ITSELF = Rival("the store's API itself", RestDialect(), _store_itself)
THIS_GATEWAY = Rival("this gateway", ConnectionDialect(), _this_gateway)
STRAWBERRY_APP = Rival("an afternoon of Strawberry", ConnectionDialect(), _strawberry)
