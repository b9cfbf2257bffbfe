"""The status page: who gets it, what it may load, and the shape of its data."""

import json
import re
from pathlib import Path

import httpx
import pytest

from gateway.api_keys import create_api_key
from gateway.app import create_app
from gateway.identity import AccessScope
from gateway.settings import load_settings
from gateway.telemetry.history import Recent, Sample, totals
from gateway.web import Web
from gateway.web.status import FOLDER, POLICY

FILES = sorted(file.name for file in FOLDER.iterdir())
PAGE = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text(encoding="utf-8")
LOOPBACK = "127.0.0.1"


def gateway(address: str | None = LOOPBACK, **settings: str) -> Web:
    environment = {f"GATEWAY_{name}": value for name, value in settings.items()}
    return create_app(load_settings(environment), address=address)


@pytest.fixture(scope="module")
def app() -> Web:
    """A gateway on loopback with no setting."""
    return gateway()


async def get(
    app: Web, path: str, key: str | None = None, **headers: str
) -> tuple[int, httpx.Response]:
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        response = await http.get(path, headers=headers)
    return response.status_code, response


@pytest.mark.parametrize(
    ("address", "setting", "status"),
    [
        ("127.0.0.1", None, 200),
        ("::1", None, 200),
        ("192.0.2.1", None, 404),
        (None, None, 404),
        ("192.0.2.1", "true", 200),
        ("127.0.0.1", "false", 404),
    ],
)
async def test_page_is_on_by_default_on_loopback_alone(
    address: str | None, setting: str | None, status: int
) -> None:
    app = gateway(address, **({} if setting is None else {"STATUS": setting}))
    for path in ("/status", "/status/data", "/status/status.js"):
        assert (await get(app, path))[0] == status
    assert (await get(app, "/metrics"))[0] == 404
    listed = (await get(app, "/"))[1].json()["paths"]
    assert ("/status" in listed) is (status == 200)
    unknown = (await get(app, "/unknown"))[1].json()["errors"][0]["message"]
    assert ("/status" in unknown) is (status == 200)


async def test_data_needs_the_scope_and_the_page_does_not(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    reader = create_api_key(file, "shop", [AccessScope.SEGMENTS_READ])
    operator = create_api_key(file, "status", [AccessScope.METRICS])
    app = gateway(API_KEYS_FILE=str(file))
    for key, status, code in (
        (None, 401, "UNAUTHENTICATED"),
        (reader, 403, "FORBIDDEN"),
        (operator, 200, None),
    ):
        answered, response = await get(app, "/status/data", key)
        assert answered == status
        assert response.headers["cache-control"] == "no-store"
        if code is not None:
            assert response.json()["errors"][0]["extensions"]["code"] == code
    for path in ("/status", "/status/status.js", "/status/chart.js", "/status/status.css"):
        assert (await get(app, path))[0] == 200


async def test_data_is_what_is_newer_than_since(app: Web) -> None:
    status, response = await get(app, "/status/data")
    assert status == 200
    body = response.json()
    assert {**body, "now": 0} == {
        "now": 0,
        "every_seconds": 5,
        "window_seconds": 3600,
        "samples": [],
    }
    assert (await get(app, f"/status/data?since={body['now']}"))[0] == 200
    for since in ("soon", "nan", "inf", ""):
        status, response = await get(app, f"/status/data?since={since}")
        assert status == 400
        assert "seconds since the epoch" in response.json()["errors"][0]["message"]


async def test_files_load_nothing_from_another_host(app: Web) -> None:
    for name, media_type in (
        ("", "text/html"),
        ("/status.js", "text/javascript"),
        ("/chart.js", "text/javascript"),
        ("/status.css", "text/css"),
    ):
        _, response = await get(app, f"/status{name}")
        assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
        assert response.headers["content-security-policy"] == POLICY
        assert response.headers["cache-control"] == "no-store"
    assert FILES == ["chart.js", "index.html", "status.css", "status.js"]
    for name in FILES:
        text = (FOLDER / name).read_text(encoding="utf-8")
        # The name of SVG's elements is written as an address, and never asked for.
        hosts = set(re.findall(r"(?:https?:)?//(?=\w+\.)[\w.]+", text))
        assert hosts <= {"http://www.w3.org"}, name
        assert "@import" not in text
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]*>(?!</script>)|<style|\son\w+=|style=", page) == []


async def test_link_of_another_site_leads_to_the_page_and_never_to_its_data(app: Web) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for path, status in (("/status", 200), ("/status/data", 403), ("/status/status.js", 403)):
        assert (await get(app, path, None, **link))[0] == status


async def test_sample_after_a_request_has_what_it_took() -> None:
    app = gateway()
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            for query in ("{segments(first:1){nodes{id}}}", "{nope}"):
                await http.post("/graphql", json={"query": query})
        app.state.telemetry.metrics.before_reading()
        app.state.telemetry.history.add(totals(app.state.telemetry.metrics))
        (sample,) = (await get(app, "/status/data"))[1].json()["samples"]
    counted = [sample[name] for name in ("requests", "upstream_requests", "misses", "errors")]
    assert counted == [2, 1, 1, {"GRAPHQL_VALIDATION_FAILED": 1}]


def test_page_of_documentation_names_each_field_of_the_data() -> None:
    section = PAGE.partition("\n## Status page\n")[2].partition("\n## ")[0]
    table = re.findall(r"^\| `(\w+)` \| .+ \|$", section, re.MULTILINE)
    assert table == [*Sample.__struct_fields__]
    (shown,) = re.findall(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert [*json.loads(shown)] == [*Recent.__struct_fields__]
