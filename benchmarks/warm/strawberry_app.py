"""A contender: the same queries, written with Strawberry as its documentation leads to it.

Relay connections by hand, a DataLoader for each request, parsed and validated documents in a
cache, upstream pages and rows in aiocache's memory, httpx towards the store, uvicorn.
`python -m benchmarks.warm.strawberry_app PORT STORE_URL TOKEN TTL`.
"""

import base64
import sys
from datetime import datetime
from typing import Any, Generic, TypeVar

import httpx
import strawberry
import uvicorn
from aiocache import Cache, cached, multi_cached
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

ROWS_A_PAGE = 250
TTL_SECONDS = float(sys.argv[4]) if len(sys.argv) > 4 else 60
Node = TypeVar("Node")


@strawberry.federation.type(keys=["entityId"])
class Segment:
    id: strawberry.ID
    entity_id: strawberry.ID
    name: str | None
    description: str | None
    created_at: datetime | None
    updated_at: datetime | None

    @classmethod
    async def resolve_reference(
        cls,
        info: strawberry.Info,
        entityId: str,  # noqa: N803 - as in the representation
    ) -> "Segment | None":
        return await segments_of(info).load(entityId)


def segments_of(info: strawberry.Info) -> DataLoader[str, Segment | None]:
    loader: DataLoader[str, Segment | None] = info.context["segments"]
    return loader


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Edge(Generic[Node]):
    cursor: str
    node: Node


@strawberry.type
class Connection(Generic[Node]):
    edges: list[Edge[Node]]
    page_info: PageInfo
    total_count: int


def segment_of(row: dict[str, Any]) -> Segment:
    global_id = base64.b64encode(f"Segment:{row['id']}".encode()).decode()
    return Segment(
        id=strawberry.ID(global_id),
        entity_id=strawberry.ID(row["id"]),
        name=row["name"],
        description=row["description"],
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
    )


http: httpx.AsyncClient


async def ask(parameters: dict[str, str | int]) -> dict[str, Any]:
    response = await http.get("segments", params=parameters)
    answer: dict[str, Any] = response.raise_for_status().json()
    return answer


@cached(ttl=TTL_SECONDS, cache=Cache.MEMORY)
async def upstream_page(number: int) -> tuple[list[Segment], int]:
    answer = await ask({"page": number, "limit": ROWS_A_PAGE})
    return [segment_of(row) for row in answer["data"]], answer["meta"]["pagination"]["total"]


@multi_cached("ids", ttl=TTL_SECONDS, cache=Cache.MEMORY)
async def upstream_rows(ids: list[str]) -> dict[str, Segment]:
    answer = await ask({"id:in": ",".join(ids), "limit": len(ids)})
    return {row["id"]: segment_of(row) for row in answer["data"]}


async def load_segments(ids: list[str]) -> list[Segment | None]:
    rows = await upstream_rows(ids=ids)
    return [rows.get(one) for one in ids]


def cursor_of(offset: int) -> str:
    return base64.b64encode(f"segment:{offset}".encode()).decode()


def offset_after(cursor: str | None) -> int:
    return int(base64.b64decode(cursor).decode().partition(":")[2]) + 1 if cursor else 0


@strawberry.type
class Query:
    @strawberry.field
    async def segments(self, first: int = 50, after: str | None = None) -> Connection[Segment]:
        start = offset_after(after)
        page = start // ROWS_A_PAGE
        rows, total = await upstream_page(page + 1)
        found = rows[start - page * ROWS_A_PAGE :]
        while len(found) < first and (page + 1) * ROWS_A_PAGE < total:
            page += 1
            rows, total = await upstream_page(page + 1)
            found = found + rows
        edges = [
            Edge(cursor=cursor_of(start + at), node=row) for at, row in enumerate(found[:first])
        ]
        page_info = PageInfo(
            has_next_page=start + first < total, end_cursor=edges[-1].cursor if edges else None
        )
        return Connection(edges=edges, page_info=page_info, total_count=total)

    @strawberry.field
    async def segment(self, info: strawberry.Info, entity_id: strawberry.ID) -> Segment | None:
        return await segments_of(info).load(entity_id)

    @strawberry.field
    async def segments_by_entity_id(
        self, info: strawberry.Info, entity_ids: list[strawberry.ID]
    ) -> list[Segment | None]:
        return await segments_of(info).load_many(entity_ids)


class App(GraphQL[dict[str, object], None]):
    async def get_context(self, request: Any, response: Any) -> dict[str, object]:
        return {"request": request, "segments": DataLoader(load_fn=load_segments)}


schema = strawberry.federation.Schema(
    query=Query,
    extensions=[lambda: ParserCache(maxsize=100), lambda: ValidationCache(maxsize=100)],
)

if __name__ == "__main__":
    port, store_url, token = sys.argv[1:4]
    http = httpx.AsyncClient(base_url=store_url, headers={"X-Auth-Token": token})
    uvicorn.run(App(schema), port=int(port), log_level="warning", access_log=False)
