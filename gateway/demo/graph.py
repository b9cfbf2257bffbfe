"""By GraphQL, through the gateway: one query for each request."""

from collections.abc import Sequence
from typing import Generic, TypeVar

import httpx
import msgspec
from msgspec import Struct, field

from gateway.demo.reader import NoAnswer, Reading

PAGE = """query Page($first: Int, $after: String) {
  segments(first: $first, after: $after) { nodes { name } pageInfo { endCursor hasNextPage } } }"""
BY_IDS = "query ByIds($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { name } }"
OF_CUSTOMER = """query OfCustomer($id: Int!) {
  customer(entityId: $id) { segments(first: 250) { nodes { name } } } }"""

Data = TypeVar("Data", bound=Struct)


class _Named(Struct):
    name: str


class _PageInfo(Struct, rename="camel"):
    end_cursor: str | None = None
    has_next_page: bool = False


class _Nodes(Struct, rename="camel"):
    nodes: list[_Named]
    page_info: _PageInfo = field(default_factory=_PageInfo)


class _PageData(Struct):
    segments: _Nodes


class _ByIdsData(Struct, rename="camel"):
    segments_by_entity_id: list[_Named]


class _OfCustomerData(Struct):
    customer: _PageData


class _Age(Struct):
    stale: bool


class _Extensions(Struct):
    cache: _Age


class _Answered(Struct, Generic[Data]):
    data: Data
    extensions: _Extensions


class GraphReader:
    """Reads segments through the gateway; `http` has its URL."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def page(self, rows: int, begin: str | None = None) -> Reading:
        """Returns a page: `begin` is the cursor before it."""
        answer = await self._ask(PAGE, {"first": rows, "after": begin}, _Answered[_PageData])
        info = answer.data.segments.page_info
        next_page = info.end_cursor if info.has_next_page else None
        return _reading(answer.data.segments.nodes, answer.extensions, next_page)

    async def by_ids(self, ids: Sequence[str]) -> Reading:
        """Returns the segments with these ids."""
        answer = await self._ask(BY_IDS, {"ids": ids}, _Answered[_ByIdsData])
        return _reading(answer.data.segments_by_entity_id, answer.extensions)

    async def of_customer(self, customer_id: int) -> Reading:
        """Returns the segments of a customer."""
        answer = await self._ask(OF_CUSTOMER, {"id": customer_id}, _Answered[_OfCustomerData])
        return _reading(answer.data.customer.segments.nodes, answer.extensions)

    async def _ask(
        self, query: str, variables: dict[str, object], kind: type[_Answered[Data]]
    ) -> _Answered[Data]:
        body = {"query": query, "variables": variables}
        try:
            response = await self._http.post("graphql", json=body)
            return msgspec.json.decode(response.content, type=kind)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise NoAnswer from error  # an error leaves out data that the type requires


def _reading(
    rows: Sequence[_Named], extensions: _Extensions, next_page: str | None = None
) -> Reading:
    return Reading([row.name for row in rows], next_page, extensions.cache.stale)
