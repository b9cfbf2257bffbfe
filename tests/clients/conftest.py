"""One Chromium for the tests of an app."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser
from vite_apps import started_chromium


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with started_chromium() as browser:
        yield browser
