"""The page of segments that the apps with Apollo Client and with urql show alike."""

from datetime import datetime

import httpx
from playwright.async_api import expect
from vite_apps import Opened, ServedApp

PAGE = 20


def newest_first(app: ServedApp) -> list[str]:
    """The names of the store's segments as "Newest first" shows them."""
    rows = app.emulator.store.segments
    by_date = sorted(rows, key=lambda row: (datetime.fromisoformat(row.created_at), row.id))
    return [row.name for row in reversed(by_date)]


def by_name(app: ServedApp) -> list[str]:
    """The names of the store's segments as "Name" shows them."""
    return sorted(in_store(app), key=str.casefold)


def in_store(app: ServedApp) -> list[str]:
    """The names of the store's segments as "Store's order" shows them."""
    return [row.name for row in app.emulator.store.segments]


async def shows(shown: Opened, rows: list[str], count: int) -> None:
    """Waits until these are the rows, and this is the number of all segments."""
    await expect(shown.page.locator("li > .plain")).to_have_text(rows)
    await expect(shown.page.locator("h1")).to_have_text(f"Segments: {count}")


async def click(shown: Opened, button: str) -> None:
    await shown.page.get_by_role("button", name=button, exact=True).click()


async def mutated(shown: Opened) -> None:
    """Waits until the store has carried out what was clicked."""
    await expect(shown.page.locator("main")).to_have_attribute("aria-busy", "false")


async def order(shown: Opened, label: str) -> None:
    await shown.page.get_by_label("Order").select_option(label)


async def create(shown: Opened, name: str) -> None:
    await shown.page.get_by_label("Name of a new segment").fill(name)
    await click(shown, "Create")
    await mutated(shown)


async def delete(shown: Opened, name: str) -> None:
    row = shown.page.locator("li", has=shown.page.get_by_text(name, exact=True))
    await row.get_by_role("button", name="Delete").click()
    await mutated(shown)


async def start_behind(shown: Opened, row: int) -> None:
    """Follows the link of a row: the list from there on, in a page of its own."""
    await shown.page.locator("li a").nth(row).click()


async def rename_elsewhere(app: ServedApp, row: int, name: str) -> None:
    """Renames a segment of the store as another client does."""
    change = {"entityId": app.emulator.store.segments[row].id, "name": name}
    mutation = (
        "mutation ($input: UpdateSegmentsInput!) "
        "{ updateSegments(input: $input) { userErrors { message } } }"
    )
    async with httpx.AsyncClient(base_url=app.url) as http:
        variables = {"input": {"segments": [change]}}
        answer = await http.post("/graphql", json={"query": mutation, "variables": variables})
    assert answer.json() == {"data": {"updateSegments": {"userErrors": []}}}
