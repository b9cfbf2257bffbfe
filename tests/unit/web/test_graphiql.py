"""The page, its policy, and its files: from a build of a few bytes, and without one."""

import gzip
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.web.graphiql import ASSET_HEADERS, PAGE_POLICY, graphiql_page, graphiql_routes

SCRIPT = b"console.log('segments');" * 20
SCRIPT_PATH = "/graphql/assets/index-abc123.js"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    assets = tmp_path / "graphql" / "assets"
    assets.mkdir(parents=True)
    (tmp_path / "index.html").write_text("<!doctype html><p>GraphiQL – built</p>", encoding="utf-8")
    (tmp_path / "secret.js").write_bytes(b"outside of the assets")
    (assets / "index-abc123.js").write_bytes(SCRIPT)
    (assets / "index-abc123.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "index-abc123.css").write_bytes(b"p { color: red }")
    (assets / "codicon-abc123.ttf").write_bytes(b"\x00\x01\x00\x00")
    (assets / "notes.txt").write_bytes(b"no asset")
    return tmp_path


def client(build: Path) -> httpx.AsyncClient:
    async def page(_: Request) -> Response:
        return graphiql_page(build)

    app = Starlette(routes=[Route("/graphql", page), *graphiql_routes(build)])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://localhost",
        headers={"Accept-Encoding": "identity"},
    )


async def test_page_is_the_build_s_index(build: Path) -> None:
    async with client(build) as http:
        answer = await http.get("/graphql")
    assert answer.status_code == 200
    assert answer.text == "<!doctype html><p>GraphiQL – built</p>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["vary"] == "Accept"


async def test_page_shows_a_new_build_without_a_restart(build: Path) -> None:
    async with client(build) as http:
        before = (await http.get("/graphql")).text
        (build / "index.html").unlink()
        without = (await http.get("/graphql")).text
        (build / "index.html").write_text("<p>newer</p>", encoding="utf-8")
        after = (await http.get("/graphql")).text
    assert "built" in before
    assert "GraphiQL is not built" in without
    assert after == "<p>newer</p>"


async def test_page_without_a_build_says_how_to_get_one(tmp_path: Path) -> None:
    async with client(tmp_path) as http:
        answer = await http.get("/graphql")
        asset = await http.get(SCRIPT_PATH)
    assert answer.status_code == 200
    assert "make graphiql" in answer.text
    assert "The wheel and the container image include it." in answer.text
    assert "Node.js 20.19" in answer.text
    assert not [word for word in ("script", "style", "src=", "href=") if word in answer.text]
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert asset.status_code == 404


async def test_page_s_policy_lets_nothing_of_another_origin_in(build: Path) -> None:
    async with client(build) as http:
        answer = await http.get("/graphql")
    directives = {
        name: set(sources)
        for name, *sources in (
            part.split() for part in answer.headers["content-security-policy"].split(";")
        )
    }
    assert directives == {
        "default-src": {"'none'"},
        "script-src": {"'self'"},
        "style-src": {"'self'", "'unsafe-inline'"},
        "font-src": {"'self'"},
        "img-src": {"'self'", "data:"},
        "worker-src": {"'self'"},
        "connect-src": {"'self'"},
        "base-uri": {"'none'"},
        "form-action": {"'none'"},
        "frame-ancestors": {"'none'"},
    }
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("index-abc123.js", "text/javascript; charset=utf-8"),
        ("index-abc123.css", "text/css; charset=utf-8"),
        ("codicon-abc123.ttf", "font/ttf"),
    ],
)
async def test_asset_has_its_type_and_is_cached_for_a_year(
    build: Path, name: str, media_type: str
) -> None:
    async with client(build) as http:
        answer = await http.get(f"/graphql/assets/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"] == ASSET_HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("accept_encoding", "is_compressed"),
    [
        ("gzip", True),
        ("br, gzip, deflate", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("identity", False),
        ("br", False),
        ("x-gzip", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
    ],
)
async def test_asset_is_compressed_for_clients_that_accept_it(
    build: Path, accept_encoding: str, is_compressed: bool
) -> None:
    async with client(build) as http:
        answer = await http.get(SCRIPT_PATH, headers={"Accept-Encoding": accept_encoding})
    assert answer.content == SCRIPT
    assert (answer.headers.get("content-encoding") == "gzip") is is_compressed
    assert int(answer.headers["content-length"]) == (
        len(gzip.compress(SCRIPT)) if is_compressed else len(SCRIPT)
    )
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_asset_without_a_compressed_file_is_sent_as_it_is(build: Path) -> None:
    async with client(build) as http:
        answer = await http.get(
            "/graphql/assets/index-abc123.css", headers={"Accept-Encoding": "gzip"}
        )
    assert answer.content == b"p { color: red }"
    assert "content-encoding" not in answer.headers


async def test_asset_that_the_browser_has_is_not_sent_again(build: Path) -> None:
    async with client(build) as http:
        plain = await http.get(SCRIPT_PATH)
        packed = await http.get(SCRIPT_PATH, headers={"Accept-Encoding": "gzip"})
        again = await http.get(SCRIPT_PATH, headers={"If-None-Match": plain.headers["etag"]})
        other = await http.get(SCRIPT_PATH, headers={"If-None-Match": packed.headers["etag"]})
    assert plain.headers["etag"] != packed.headers["etag"]
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == plain.headers["etag"]
    assert other.status_code == 200


async def test_head_of_an_asset_has_no_body(build: Path) -> None:
    async with client(build) as http:
        answer = await http.head(SCRIPT_PATH)
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(SCRIPT))
    assert answer.content == b""


@pytest.mark.parametrize(
    "path",
    [
        "/graphql/assets/absent-abc123.js",
        "/graphql/assets/notes.txt",
        "/graphql/assets/index-abc123.js.gz",
        "/graphql/assets/",
        "/graphql/assets/%2e%2e",
        "/graphql/assets/%2e%2e%2f%2e%2e%2fsecret.js",
        "/graphql/assets/..%2f..%2fsecret.js",
        "/graphql/assets/..%5c..%5csecret.js",
        "/graphql/assets/%2fetc%2fpasswd",
        "/graphql/assets/index-abc123.js%00",
        "/graphql/assets/%00.js",
        "/graphql/assets/" + "a" * 300 + ".js",
    ],
)
async def test_nothing_but_assets_is_served(build: Path, path: str) -> None:
    async with client(build) as http:
        answer = await http.get(path)
    assert answer.status_code == 404


async def test_asset_cannot_be_posted(build: Path) -> None:
    async with client(build) as http:
        answer = await http.post(SCRIPT_PATH)
    assert answer.status_code == 405
