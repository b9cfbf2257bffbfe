"""What a router hands on of a client's headers, seen by the subgraphs."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import start
from federation_router import needs_routers, router_over
from processes import serving
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ANSWERS: dict[str, dict[str, object]] = {
    "segments": {"segments": {"totalCount": 120}},
    "promotions": {"node": None},
    "customers": {"customersByIds": []},
}
QUERY = """{
  segments(first: 0) { totalCount }
  node(id: "UHJvbW90aW9uOjk=") { id }
  customersByIds(entityIds: []) { email }
}"""

pytestmark = needs_routers()


@contextmanager
def subgraphs() -> Iterator[tuple[dict[str, str], dict[str, Headers]]]:
    """Yields the URLs of three subgraphs, and the headers that each got last."""
    seen: dict[str, Headers] = {}

    async def answer(request: Request) -> JSONResponse:
        name = request.path_params["name"]
        seen[name] = request.headers
        return JSONResponse({"data": ANSWERS[name]})

    app = Starlette(routes=[Route("/{name}", answer, methods=["POST"])])
    with serving(app) as url:
        yield {name: f"{url}/{name}" for name in ANSWERS}, seen


@pytest.mark.parametrize("name", start.ROUTERS)
def test_credentials_go_to_all_but_the_segments_and_the_request_s_id_to_all(name: str) -> None:
    with subgraphs() as (urls, seen), router_over(name, urls) as url:
        answer = httpx.post(
            url,
            json={"query": QUERY},
            headers={"Authorization": "Bearer t0k3n", "X-Request-Id": "trip-1"},
            trust_env=False,
        )
    assert answer.json() == {"data": {k: v for d in ANSWERS.values() for k, v in d.items()}}
    assert {n: headers.get("x-request-id") for n, headers in seen.items()} == dict.fromkeys(
        ANSWERS, "trip-1"
    )
    assert {n: headers.get("authorization") for n, headers in seen.items()} == {
        "segments": None,
        "promotions": "Bearer t0k3n",
        "customers": "Bearer t0k3n",
    }


@pytest.mark.parametrize("name", start.ROUTERS)
def test_a_router_s_environment_names_no_place_to_report_to(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("APOLLO_KEY", "HIVE_ACCESS_TOKEN", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.setenv(variable, "set")
    environment = start.router(name, 4000, {}).environment
    assert [n for n in environment if n.startswith(("APOLLO_", "HIVE_", "OTEL_"))] == []
