"""Which requests of browsers are answered, and with which headers; none that is refused costs."""

import httpx
import pytest
from in_process import InProcess, in_process

from gateway.web.browsers import Browsers
from gateway.web.request_id import RequestIds
from gateway.web.unexpected_errors import UnexpectedErrors

SHOP = "https://shop.example"
QUERY = {"query": "{segments{totalCount}}"}
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}


@pytest.fixture
def gateway() -> InProcess:
    return in_process(3)


@pytest.fixture
def with_cors() -> InProcess:
    return in_process(3, CORS_ORIGINS=f"{SHOP}, http://localhost:3000")


def said(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal; the answer to HEAD has no code."""
    assert answer.headers["X-Request-Id"]
    if answer.request.method == "HEAD":
        return answer.status_code, ""
    (error,) = answer.json()["errors"]
    return answer.status_code, error["extensions"]["code"]


async def test_unknown_host_is_refused_everywhere_but_at_health(gateway: InProcess) -> None:
    evil = {"Host": "evil.example:8000"}
    for path in ("/", "/graphql", "/graphql/", "/graphql/assets/x.js", "/no"):
        answer = await gateway.http.get(path, headers=evil)
        assert said(answer) == (421, "BAD_REQUEST")
        assert answer.json()["errors"][0]["message"] == (
            "The gateway does not answer to the host `evil.example:8000`: "
            "GATEWAY_ALLOWED_HOSTS has to name it."
        )
    assert said(await gateway.http.post("/graphql", json=QUERY, headers=evil))[0] == 421
    assert (await gateway.http.get("/health/live", headers=evil)).status_code == 200
    assert gateway.upstream_requests == 0


async def test_long_host_is_not_repeated(gateway: InProcess) -> None:
    answer = await gateway.http.get("/", headers={"Host": "a" * 60_000})
    assert said(answer) == (421, "BAD_REQUEST")
    assert len(answer.content) < 400


@pytest.mark.parametrize(("headers", "status"), [([], 200), ([(b"host", b"")], 421)])
async def test_host_may_be_left_out_but_not_be_empty(
    gateway: InProcess, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    request = gateway.http.build_request("GET", "/")
    request.headers = httpx.Headers(headers)
    assert (await gateway.http.send(request)).status_code == status


@pytest.mark.parametrize("sites", [("none", "cross-site"), ("cross-site", "none")])
async def test_one_foreign_mark_among_several_is_enough(
    gateway: InProcess, sites: tuple[str, str]
) -> None:
    headers = [("Sec-Fetch-Site", site) for site in sites]
    answer = await gateway.http.get("/graphql", params=QUERY, headers=headers)
    assert said(answer) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("https://localhost:80", "localhost", 403),
        ("http://localhost:443", "localhost", 403),
        ("https://localhost", "localhost:443", 200),
        ("http://localhost:80", "localhost:80", 200),
    ],
)
async def test_other_default_port_is_another_origin(
    gateway: InProcess, origin: str, host: str, status: int
) -> None:
    headers = {"Origin": origin, "Host": host}
    answer = await gateway.http.post("/graphql", json=QUERY, headers=headers)
    assert answer.status_code == status


async def test_hosts_are_those_of_the_setting() -> None:
    gateway = in_process(3, ALLOWED_HOSTS="gateway, *.shop.example")
    for host, status in (("gateway:8000", 200), ("eu.shop.example", 200), ("localhost", 421)):
        answer = await gateway.http.get("/", headers={"Host": host})
        assert answer.status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:3000", "https://localhost:8443"]
)
async def test_foreign_origin_is_refused_for_each_method(
    gateway: InProcess, method: str, origin: str
) -> None:
    answer = await gateway.http.request(
        method, "/graphql", json=QUERY, params=QUERY, headers={"Origin": origin, **PREFLIGHT}
    )
    assert said(answer) == (403, "" if method == "HEAD" else "FORBIDDEN")
    assert method == "HEAD" or "GATEWAY_CORS_ORIGINS" in answer.text
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert gateway.upstream_requests == 0


@pytest.mark.parametrize("site", ["same-origin", "none", None])
async def test_own_pages_may_ask(gateway: InProcess, site: str | None) -> None:
    headers = {"Origin": "http://localhost", **({"Sec-Fetch-Site": site} if site else {})}
    answer = await gateway.http.post("/graphql", json=QUERY, headers=headers)
    assert answer.json()["data"] == {"segments": {"totalCount": 3}}
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_page_behind_a_proxy_that_ends_tls_may_ask() -> None:
    gateway = in_process(3, ALLOWED_HOSTS="shop.example")
    answer = await gateway.http.post(
        "/graphql", json=QUERY, headers={"Origin": SHOP, "Host": "shop.example"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "unheard-of"])
async def test_get_of_another_site_is_refused_before_it_costs(
    gateway: InProcess, site: str
) -> None:
    mark = {"Sec-Fetch-Site": site}
    for path in (
        "/graphql?query={segments{totalCount}}",
        '/graphql?extensions={"persistedQuery":{"sha256Hash":"abc"}}',
        "/graphql?documentId=abc",
        "/graphql/abc",
    ):
        for extra in ({"Sec-Fetch-Mode": "no-cors"}, NAVIGATION):
            for method in ("GET", "HEAD"):
                answer = await gateway.http.request(method, path, headers={**mark, **extra})
                assert said(answer)[0] == 403
    image = {**mark, "Sec-Fetch-Mode": "no-cors"}
    assert said(await gateway.http.get("/health/ready", headers=image))[0] == 403
    posted = {**mark, **NAVIGATION}
    assert said(await gateway.http.post("/graphql", json=QUERY, headers=posted))[0] == 403
    assert gateway.upstream_requests == 0


@pytest.mark.parametrize("path", ["/", "/graphql", "/health/live"])
async def test_another_site_may_link_to_a_page(gateway: InProcess, path: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", **NAVIGATION}
    answer = await gateway.http.get(path, headers=headers)
    assert answer.status_code == 200


async def test_allowed_origin_may_ask_from_another_site(with_cors: InProcess) -> None:
    headers = {"Origin": SHOP, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    posted = await with_cors.http.post("/graphql", json=QUERY, headers=headers)
    got = await with_cors.http.get("/graphql", params=QUERY, headers=headers)
    for answer in (posted, got):
        assert answer.json()["data"] == {"segments": {"totalCount": 3}}
        assert answer.headers["Access-Control-Allow-Origin"] == SHOP
        assert answer.headers["Access-Control-Expose-Headers"] == (
            "Age, ETag, X-Request-Id, Cache-Status, Retry-After, WWW-Authenticate"
        )
        assert answer.headers["Vary"] == "Accept, Authorization, Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_answers_vary_by_origin_for_all_clients_once_one_is_allowed(
    with_cors: InProcess,
) -> None:
    for headers in ({}, {"Origin": "http://localhost"}):
        answer = await with_cors.http.post("/graphql", json=QUERY, headers=headers)
        assert answer.headers["Vary"] == "Accept, Authorization, Origin"
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("origin", [SHOP, "http://localhost:3000"])
async def test_preflight_is_answered_and_cached(with_cors: InProcess, origin: str) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", **PREFLIGHT}
    answer = await with_cors.http.options("/graphql", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    assert answer.headers["Vary"].startswith("Origin, ")
    assert answer.headers["X-Request-Id"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {
        "authorization",
        "content-type",
        "x-request-id",
        "apollo-require-preflight",
        "x-apollo-operation-name",
        "apollographql-client-name",
        "apollographql-client-version",
        "traceparent",
        "tracestate",
    } <= set(allowed)


@pytest.mark.parametrize(
    "asked",
    [
        {"Access-Control-Request-Method": "DELETE"},
        {"Access-Control-Request-Headers": "x-forwarded-for"},
    ],
)
async def test_preflight_for_more_gets_a_sentence(
    with_cors: InProcess, asked: dict[str, str]
) -> None:
    answer = await with_cors.http.options(
        "/graphql", headers={"Origin": SHOP, **PREFLIGHT, **asked}
    )
    assert said(answer) == (403, "FORBIDDEN")
    assert "the methods GET and POST" in answer.text


async def test_public_page_may_ask_a_gateway_in_a_private_network(with_cors: InProcess) -> None:
    private = {"Access-Control-Request-Private-Network": "true"}
    answer = await with_cors.http.options(
        "/graphql", headers={"Origin": SHOP, **PREFLIGHT, **private}
    )
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example.evil.example", "https://eu.shop.example", "http://shop.example", "null"],
)
async def test_origins_are_exact(with_cors: InProcess, origin: str) -> None:
    for method in ("POST", "OPTIONS"):
        answer = await with_cors.http.request(
            method, "/graphql", json=QUERY, headers={"Origin": origin, **PREFLIGHT}
        )
        assert said(answer) == (403, "FORBIDDEN")
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_pages_can_read_errors(with_cors: InProcess) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(with_cors.app),
        base_url="http://localhost",
        headers={"Origin": SHOP, "Content-Type": "application/json"},
    ) as http:
        answers = [
            await http.post("/graphql", content=b"{"),
            await http.post("/graphql", content=b" " * (1024**2 + 1)),
            await http.put("/graphql"),
            await http.get("/no"),
        ]
    assert [answer.status_code for answer in answers] == [400, 413, 405, 404]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == SHOP
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]


async def test_pages_can_read_that_the_gateway_failed() -> None:
    async def crash(*_: object) -> None:
        raise KeyError("secret")

    app = RequestIds(Browsers(UnexpectedErrors(crash), hosts=["localhost"], origins=[SHOP]))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.post("/graphql", headers={"Origin": SHOP})
    assert said(answer) == (500, "INTERNAL_SERVER_ERROR")
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP


@pytest.mark.parametrize("value", ["false", ""])
async def test_unmarked_get_carries_no_document_for_a_real_store(value: str) -> None:
    url = "http://localhost" if value else "https://api.bigcommerce.com"
    gateway = in_process(3, UPSTREAM_URL=url, ALLOW_GET_DOCUMENTS=value, ALLOW_ANONYMOUS="read")
    answer = await gateway.http.get("/graphql", params=QUERY)
    assert said(answer) == (405, "BAD_REQUEST")
    assert answer.headers["Allow"] == "POST"
    assert "(GATEWAY_ALLOW_GET_DOCUMENTS)" in answer.text
    assert (await gateway.http.head("/graphql", params=QUERY)).status_code == 405
    assert gateway.upstream_requests == 0
    for site in ("same-origin", "none"):
        answer = await gateway.http.get("/graphql", params=QUERY, headers={"Sec-Fetch-Site": site})
        assert answer.json()["data"] == {"segments": {"totalCount": 3}}
    hashed = await gateway.http.get(
        "/graphql", params={"extensions": '{"persistedQuery":{"sha256Hash":"abc"}}'}
    )
    assert hashed.status_code != 405


@pytest.mark.parametrize("value", ["true", ""])
async def test_unmarked_get_carries_a_document_on_the_emulator_or_if_allowed(
    value: str,
) -> None:
    url = "https://api.bigcommerce.com" if value else "http://localhost"
    gateway = in_process(3, UPSTREAM_URL=url, ALLOW_GET_DOCUMENTS=value, ALLOW_ANONYMOUS="read")
    answer = await gateway.http.get("/graphql", params=QUERY)
    assert answer.json()["data"] == {"segments": {"totalCount": 3}}
