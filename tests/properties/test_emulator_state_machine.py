"""The emulator against a plain list: any inserts and deletes between any reads."""

import asyncio
from uuid import UUID

import httpx
import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from examples import examples
from gateway.emulator import SegmentRow, Store, create_emulator
from gateway.emulator.paging import DEFAULT_LIMIT

DATE = "2022-09-15T23:44:05Z"
URL = "http://emulator.localhost/stores/emulator/v3/segments"
TOKEN = {"X-Auth-Token": "emulator-token"}


class Pagination(msgspec.Struct):
    total: int
    count: int
    per_page: int
    current_page: int
    total_pages: int


class Meta(msgspec.Struct):
    pagination: Pagination


class Listed(msgspec.Struct):
    data: list[SegmentRow]
    meta: Meta


def segment(number: int) -> SegmentRow:
    row_id = str(UUID(int=number, version=4))
    return SegmentRow(row_id, f"Segment {number}", None if number % 3 else "Text", DATE, DATE)


class EmulatedStore(RuleBasedStateMachine):
    """`model` is the list as it should be; ids in the bundle may have been deleted since."""

    ids = Bundle("ids")

    @initialize(
        target=ids,
        size=st.integers(0, 130),
        max_limit=st.integers(1, 60),
        refuses=st.booleans(),
    )
    def open(self, size: int, max_limit: int, refuses: bool) -> object:
        self.model = [segment(number) for number in range(size)]
        self.made = size
        self.requests = 0
        self.max_limit, self.refuses = max_limit, refuses
        self.store = Store(list(self.model))
        self.app = create_emulator(
            self.store,
            max_limit=max_limit,
            over_limit="refuse" if refuses else "clamp",
            rate_limit_quota=1_000_000,
            control=True,
        )
        self.runner = asyncio.Runner()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), headers=TOKEN)
        return multiple(*(row.id for row in self.model[:5]))

    def control(self, method: str, path: str, **body: str) -> httpx.Response:
        url = f"http://emulator.localhost/_emulator{path}"
        return self.runner.run(self.client.request(method, url, json=body or None))

    def get(self, query: dict[str, str]) -> httpx.Response:
        self.requests += 1
        return self.runner.run(self.client.get(URL, params=query))

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self.client.aclose())
            self.runner.close()

    def check_page(self, rows: list[SegmentRow], query: dict[str, str]) -> Listed | None:
        """Compares one page with the same page of `rows`; returns it unless it is refused."""
        limit = int(query.get("limit", min(DEFAULT_LIMIT, self.max_limit)))
        page = int(query.get("page", 1))
        answer = self.get(query)
        if limit > self.max_limit and self.refuses:
            assert answer.status_code == 422
            return None
        limit = min(limit, self.max_limit)
        body = msgspec.json.decode(answer.content, type=Listed)
        shown = rows[(page - 1) * limit : page * limit]
        assert answer.status_code == 200
        assert body.data == shown
        assert body.meta.pagination == Pagination(
            total=len(rows),
            count=len(shown),
            per_page=limit,
            current_page=page,
            total_pages=(len(rows) + limit - 1) // limit,
        )
        return body

    @rule(target=ids, place=st.integers(0, 200))
    def insert(self, place: int) -> str:
        row = segment(self.made)
        position = place % (len(self.model) + 1)
        self.made += 1
        self.store.insert(row, position)
        self.model.insert(position, row)
        return row.id

    @rule(target=ids)
    def insert_by_control(self) -> str:
        name = f"Segment {self.made}"
        self.made += 1
        answer = self.control("POST", "/segments", name=name)
        row = msgspec.json.decode(answer.content, type=SegmentRow)
        assert (answer.status_code, row.name) == (201, name)
        self.model.append(row)
        return row.id

    @rule(row_id=ids)
    def delete_by_control(self, row_id: str) -> None:
        is_held = any(row.id == row_id for row in self.model)
        answer = self.control("DELETE", f"/segments/{row_id}")
        assert answer.status_code == (204 if is_held else 404)
        self.model = [row for row in self.model if row.id != row_id]

    @rule()
    def reset_requests(self) -> None:
        self.control("DELETE", "/requests")
        self.requests = 0

    @rule()
    def read_requests(self) -> None:
        counts = self.control("GET", "/requests").json()
        assert counts["total"] == sum(counts["statuses"].values()) == self.requests
        assert sum(window["requests"] for window in counts["windows"]) == self.requests

    @rule(row_id=consumes(ids))
    def delete(self, row_id: str) -> None:
        held = [row for row in self.model if row.id == row_id]
        assert self.store.delete([row_id]) == len(held)
        self.model = [row for row in self.model if row.id != row_id]

    @rule(place=st.integers(0, 200), many=st.integers(1, 60))
    def delete_a_stretch(self, place: int, many: int) -> None:
        start = place % (len(self.model) + 1)
        gone = [row.id for row in self.model[start : start + many]]
        assert self.store.delete(gone) == len(gone)
        del self.model[start : start + many]

    @rule()
    def read_without_page_or_limit(self) -> None:
        self.check_page(self.model, {})

    @rule(page=st.integers(1, 8), limit=st.integers(1, 70))
    def read_page(self, page: int, limit: int) -> None:
        self.check_page(self.model, {"page": str(page), "limit": str(limit)})

    @rule(limit=st.integers(8, 70))
    def walk(self, limit: int) -> None:
        walked: list[SegmentRow] = []
        page, pages = 0, 1
        while page < pages:
            page += 1
            body = self.check_page(self.model, {"page": str(page), "limit": str(limit)})
            if body is None:
                return
            walked += body.data
            pages = body.meta.pagination.total_pages
        assert walked == self.model

    @rule(
        wanted=st.lists(ids | st.integers(10_000, 10_005).map(lambda n: segment(n).id), max_size=8),
        upper=st.booleans(),
        page=st.integers(1, 3),
        limit=st.integers(1, 6),
    )
    def read_ids(self, wanted: list[str], upper: bool, page: int, limit: int) -> None:
        text = ",".join(wanted)
        query = {"id:in": text.upper() if upper else text, "page": str(page), "limit": str(limit)}
        self.check_page([row for row in self.model if row.id in wanted], query)

    @rule(place=st.integers(0, 200))
    def read_ids_of_a_stretch_without_limit(self, place: int) -> None:
        stretch = self.model[place % (len(self.model) + 1) :]
        self.check_page(stretch, {"id:in": ",".join(row.id for row in reversed(stretch))})

    @rule(row_id=ids)
    def insert_again(self, row_id: str) -> None:
        held = [row for row in self.model if row.id == row_id]
        for row in held:
            try:
                self.store.insert(row)
            except ValueError:
                continue
            raise AssertionError("a second segment of the same id and name was taken")

    @invariant()
    def every_request_is_counted(self) -> None:
        if hasattr(self, "app"):
            assert self.app.state.emulator.requests.total() == self.requests


EmulatedStore.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=20)
TestEmulatedStore = EmulatedStore.TestCase
