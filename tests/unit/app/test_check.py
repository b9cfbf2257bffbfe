import json

import httpx
import pytest

from gateway.app import check
from gateway.settings import load_settings

STORE = load_settings({"GATEWAY_STORE_HASH": "abc123", "GATEWAY_ACCESS_TOKEN": "t0k3n"})
NAME = "store abc123 at https://api.bigcommerce.com"


async def checked(status: int, body: object = None) -> tuple[bool, str]:
    """The check's verdict on an upstream that gives this answer to every request."""
    headers = {"Content-Type": "application/json", "Location": "https://elsewhere.example/"}

    def answer(_: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(json.dumps(body).encode())
        return httpx.Response(status, headers=headers, stream=stream)

    return await check(STORE, httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            301,
            f"{NAME}: The store's API failed with status 301. That is a redirect, which the "
            "gateway does not follow. Check GATEWAY_UPSTREAM_URL: its scheme, its host and its "
            "path.",
        ),
        (
            404,
            f"{NAME}: The store's API refused the request with status 404. "
            "Check GATEWAY_UPSTREAM_URL.",
        ),
        (422, f"{NAME}: The store's API refused the request with status 422."),
    ],
)
async def test_check_names_a_status_and_the_setting_to_mend(status: int, sentence: str) -> None:
    assert await checked(status) == (False, sentence)


async def test_check_names_an_answer_without_quota_headers() -> None:
    page = {"data": [], "meta": {"pagination": {"total": 0, "per_page": 250}}}
    assert await checked(200, page) == (
        True,
        f"{NAME} answers: 0 segments; its answer has no X-Rate-Limit headers.",
    )
