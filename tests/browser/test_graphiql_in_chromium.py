"""A newcomer finds a query answered, runs the others, pages, reads the docs; nothing leaves."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Locator, Page, Response, expect

from gateway.emulator import seeded_store

pytestmark = pytest.mark.asyncio(loop_scope="module")

STORED = "bigcommerce-segments-gateway:graphiql:"
TABS = ["Forward", "Backward", "Sorted", "ById", "Customers", "Members", "CreateSegments"]
# The query is coloured: its words are in several classes of style.
COLOURED = """() => new Set(
  [...document.querySelectorAll(".graphiql-query-editor .view-line span span")].map(
    (word) => word.className,
  ),
).size > 4"""
NAMES = [segment.name for segment in seeded_store().segments]


class Node(msgspec.Struct):
    """A segment of an answer."""

    name: str


class Edge(msgspec.Struct):
    """A segment of an answer, with its cursor."""

    node: Node


class Connection(msgspec.Struct, rename="camel"):
    """A page of segments."""

    page_info: dict[str, bool | str]
    edges: list[Edge] = []
    nodes: list[Node] = []
    total_count: int | None = None

    def names(self) -> list[str]:
        """Returns the names of the page's segments."""
        return [node.name for node in (*self.nodes, *(edge.node for edge in self.edges))]


class Data(msgspec.Struct):
    """The data of an answer."""

    segments: Connection


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """An answer without errors."""

    data: Data
    extensions: dict[str, object]


def is_no_introspection(response: Response) -> bool:
    """Tells whether this is the answer to a query of the reader's."""
    sent = response.request.post_data
    return sent is not None and "IntrospectionQuery" not in sent


async def run(page: Page) -> Connection:
    """Runs the query of the open tab, and returns what it answered once the page shows it."""
    async with page.expect_response(is_no_introspection) as waiting:
        await page.get_by_label("Execute query").click()
    response = await waiting.value
    assert response.status == 200
    assert response.headers["content-type"].startswith("application/graphql-response+json")
    connection = msgspec.json.decode(await response.body(), type=Answer).data.segments
    await shows(page, connection.names()[0])
    return connection


async def shows(page: Page, text: str) -> None:
    """Waits until the response pane holds the text."""
    await expect(page.locator(".graphiql-response .view-lines")).to_contain_text(text)


async def set_variables(page: Page, variables: dict[str, object]) -> None:
    """Pastes the variables into their editor."""
    text = json.dumps(variables, indent=2, ensure_ascii=False)
    await page.evaluate("text => navigator.clipboard.writeText(text)", text)
    await page.locator(".graphiql-editor-tool .view-lines").first.click()
    await page.keyboard.press("Control+A")
    await page.keyboard.press("Control+V")


async def test_newcomer_sees_the_first_page_and_pages_forward(
    graphiql: Page,
    gateway: str,
    screenshots: Path,
    requests: list[str],
    complaints: list[str],
) -> None:
    await shows(graphiql, NAMES[0])
    await graphiql.wait_for_function(COLOURED)
    await graphiql.screenshot(path=screenshots / "graphiql.png")
    first = await run(graphiql)
    assert first.names() == NAMES[:5]
    assert first.total_count == len(NAMES)
    assert first.page_info["hasNextPage"] is True

    await set_variables(graphiql, {"first": 5, "after": first.page_info["endCursor"]})
    second = await run(graphiql)
    await graphiql.screenshot(path=screenshots / "graphiql-second-page.png")
    assert second.names() == NAMES[5:10]

    assert [url for url in requests if not url.startswith((f"{gateway}/graphql", "data:"))] == []
    assert complaints == []


async def test_second_tab_pages_backward_from_the_end(
    graphiql: Page, complaints: list[str]
) -> None:
    await graphiql.get_by_role("tab", name="Backward").click()
    # GraphiQL takes a tenth of a second to notice that the operation has another name.
    await graphiql.wait_for_function(f"() => localStorage['{STORED}query'].includes('Backward')")
    last = await run(graphiql)
    assert last.names() == NAMES[-5:]
    await set_variables(graphiql, {"last": 5, "before": last.page_info["startCursor"]})
    assert (await run(graphiql)).names() == NAMES[-10:-5]
    assert complaints == []


@pytest.mark.parametrize(
    ("tab", "shown"),
    [
        ("Sorted", "VIP customers – Canada"),
        ("ById", "Repeat buyers"),
        ("Customers", "henry.garcia.2@example.com"),
        ("Members", "Loyalty gold"),
        ("CreateSegments", "VIP customers"),
    ],
)
async def test_other_tabs_run_as_they_are(
    graphiql: Page, screenshots: Path, complaints: list[str], tab: str, shown: str
) -> None:
    await graphiql.get_by_role("tab", name=tab).click()
    await graphiql.wait_for_function(f"() => localStorage['{STORED}query'].includes('{tab}')")
    await graphiql.get_by_label("Execute query").click()
    await shows(graphiql, shown)
    await graphiql.screenshot(path=screenshots / f"graphiql-{tab}.png")
    assert complaints == []


async def test_docs_show_descriptions(
    graphiql: Page, screenshots: Path, complaints: list[str]
) -> None:
    await graphiql.get_by_label("Show Documentation Explorer").click()
    docs = graphiql.locator(".graphiql-doc-explorer")
    await expect(docs).to_contain_text("SegmentConnection")
    for machinery in ("_Any", "_Entity", "_Service", "FieldSet"):
        await expect(docs).not_to_contain_text(machinery)
    await docs.get_by_role("link", name="Query").click()
    await expect(docs).to_contain_text("The store's segments, in pages forward and backward.")
    await expect(docs).not_to_contain_text("_entities")
    await graphiql.screenshot(path=screenshots / "graphiql-docs.png")
    assert complaints == []


async def test_explorer_adds_a_field_to_the_query(
    graphiql: Page, screenshots: Path, complaints: list[str]
) -> None:
    await graphiql.get_by_label("Show GraphiQL Explorer").click()
    await graphiql.locator(".graphiql-explorer-root").get_by_text("updatedAt").click()
    await expect(graphiql.locator(".graphiql-query-editor .view-lines")).to_contain_text(
        "updatedAt"
    )
    await graphiql.screenshot(path=screenshots / "graphiql-explorer.png")
    assert complaints == []


async def test_editor_completes_fields_from_the_schema(
    graphiql: Page, complaints: list[str]
) -> None:
    await graphiql.locator(".graphiql-query-editor .view-line").get_by_text("entityId").click()
    await graphiql.keyboard.press("End")
    await graphiql.keyboard.type(" upd")
    await expect(graphiql.locator(".suggest-widget")).to_contain_text("updatedAt")
    assert complaints == []


async def test_edited_tabs_are_there_at_the_next_visit(
    graphiql: Page, open_page: Callable[[str], Awaitable[Page]], gateway: str
) -> None:
    await set_variables(graphiql, {"first": 7, "after": None})
    await graphiql.wait_for_function(
        f"() => JSON.parse(localStorage['{STORED}tabState']).tabs[0].variables.includes('7')"
    )
    again = await open_page(f"{gateway}/graphql")
    await expect(again.get_by_role("tab")).to_contain_text(TABS)
    assert (await run(again)).names() == NAMES[:7]


async def test_page_works_below_a_path_prefix(
    open_page: Callable[[str], Awaitable[Page]],
    gateway_below_a_prefix: str,
    requests: list[str],
    complaints: list[str],
) -> None:
    page = await open_page(f"{gateway_below_a_prefix}/graphql")
    assert (await run(page)).names() == NAMES[:5]
    inside = (f"{gateway_below_a_prefix}/graphql", "data:")
    assert [url for url in requests if not url.startswith(inside)] == []
    assert complaints == []


async def test_slash_too_many_leads_to_the_page(
    open_page: Callable[[str], Awaitable[Page]], gateway_below_a_prefix: str, complaints: list[str]
) -> None:
    page = await open_page(f"{gateway_below_a_prefix}/graphql/")
    assert page.url == f"{gateway_below_a_prefix}/graphql"
    assert (await run(page)).names() == NAMES[:5]
    assert complaints == []


async def test_text_in_any_language_is_shown_without_marks(
    graphiql: Page, screenshots: Path, complaints: list[str]
) -> None:
    names = ["Постоянные – VIP", "Ευρώπη", "Neu‐Kunden", "no\u00adlook-alike"]
    await set_variables(graphiql, {"names": names})
    # The soft hyphen of the last name is marked, and is waited for; nothing else is.
    marks = graphiql.locator(".graphiql-editor-tool .unicode-highlight")
    await expect(marks).to_have_count(1)
    await graphiql.screenshot(path=screenshots / "graphiql-languages.png")
    assert complaints == []


async def box_of(part: Locator) -> tuple[float, float, float, float]:
    """Returns left, top, right and bottom of a part of the page."""
    box = await part.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


async def test_narrow_window_shows_the_answer_below_the_query(
    graphiql: Page, screenshots: Path, complaints: list[str]
) -> None:
    await graphiql.set_viewport_size({"width": 400, "height": 800})
    await graphiql.get_by_label("Execute query").click()
    await shows(graphiql, "totalCount")
    await graphiql.screenshot(path=screenshots / "graphiql-narrow.png")
    query = await box_of(graphiql.locator(".graphiql-query-editor .monaco-editor"))
    answer = await box_of(graphiql.locator(".graphiql-response .monaco-editor"))
    for left, top, right, bottom in (query, answer):
        assert 0 <= left < left + 250 < right <= 400
        assert 0 <= top < top + 180 < bottom <= 800
    assert query[3] < answer[1]
    assert complaints == []
