"""A whole gateway with a manifest of trusted documents, and one that executes nothing else."""

import json
from hashlib import md5, sha256
from pathlib import Path

import httpx
import pytest
from in_process import InProcess, in_process

COUNT = "query Count { segments { totalCount } }"
# As Relay's compiler names documents, unless another algorithm is set.
COUNT_ID = md5(COUNT.encode()).hexdigest()
COUNTED = {"segments": {"totalCount": 3}}
OTHER = "{ segments(first: 1) { totalCount } }"
MANY_ALIASES = "{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }"
GRAPHIQL_ASKS = "{ __schema { queryType { name } } }"


def sha256_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def hashed(sha256_hex: str) -> dict[str, object]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256_hex}}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({COUNT_ID: COUNT, "many": MANY_ALIASES}), encoding="utf-8")
    return file


@pytest.fixture
def open_gateway(manifest: Path) -> InProcess:
    return in_process(3, TRUSTED_DOCUMENTS_FILE=str(manifest))


@pytest.fixture
def only(manifest: Path) -> InProcess:
    return in_process(
        3,
        TRUSTED_DOCUMENTS_FILE=str(manifest),
        TRUSTED_DOCUMENTS_ONLY="true",
        GRAPHIQL="true",
        INTROSPECTION="true",
    )


async def post(gateway: InProcess, path: str = "/graphql", **body: object) -> httpx.Response:
    return await gateway.http.post(path, json=body)


def is_error(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": code}
    assert "data" not in answer.json()


@pytest.mark.parametrize("name", ["open_gateway", "only"])
async def test_trusted_document_is_executed_by_id_by_hash_and_by_its_text(
    name: str, request: pytest.FixtureRequest
) -> None:
    gateway: InProcess = request.getfixturevalue(name)
    by_sha256 = f"sha256:{sha256_of(COUNT)}"
    for answer in (
        await post(gateway, documentId=COUNT_ID),
        await post(gateway, documentId=by_sha256),
        await post(gateway, f"/graphql/{COUNT_ID}"),
        await post(gateway, extensions=hashed(COUNT_ID)),
        await post(gateway, extensions=hashed(sha256_of(COUNT))),
        await post(gateway, query=COUNT, extensions=hashed(COUNT_ID)),
        await post(gateway, query=COUNT, extensions=hashed(sha256_of(COUNT))),
        await post(gateway, query=COUNT),
        await gateway.http.get(f"/graphql?documentId={COUNT_ID}"),
        await gateway.http.get(f"/graphql/{by_sha256}?operationName=Count"),
        await gateway.http.get("/graphql", params={"extensions": json.dumps(hashed(COUNT_ID))}),
    ):
        assert (answer.status_code, answer.json()["data"]) == (200, COUNTED)
    assert len(gateway.services.persisted_documents.memory) == 0


@pytest.mark.parametrize("name", ["open_gateway", "only"])
async def test_no_limit_of_a_document_applies_to_a_trusted_one(
    name: str, request: pytest.FixtureRequest
) -> None:
    gateway: InProcess = request.getfixturevalue(name)
    for answer in (
        await post(gateway, documentId="many"),
        await post(gateway, query=MANY_ALIASES),
    ):
        assert len(answer.json()["data"]) == 101


async def test_other_documents_are_executed_and_stored_beside_a_manifest(
    open_gateway: InProcess,
) -> None:
    sha256_hex = sha256_of(OTHER)
    is_error(
        await post(open_gateway, extensions=hashed(sha256_hex)), 200, "PERSISTED_QUERY_NOT_FOUND"
    )
    for body in (
        {"query": OTHER, "extensions": hashed(sha256_hex)},
        {"extensions": hashed(sha256_hex)},
        {"documentId": f"sha256:{sha256_hex}"},
    ):
        assert (await post(open_gateway, **body)).json()["data"] == COUNTED
    assert len(open_gateway.services.persisted_documents.memory) == 1


@pytest.mark.parametrize("document", [OTHER, COUNT + " ", GRAPHIQL_ASKS, "{ _service { sdl } }"])
async def test_nothing_else_is_executed_where_only_trusted_documents_are(
    document: str, only: InProcess
) -> None:
    answer = await post(only, query=document)
    is_error(answer, 403, "FORBIDDEN")
    assert "GATEWAY_TRUSTED_DOCUMENTS_ONLY" in answer.text
    sha256_hex = sha256_of(document)
    is_error(await post(only, query=document, extensions=hashed(sha256_hex)), 403, "FORBIDDEN")
    is_error(await post(only, extensions=hashed(sha256_hex)), 200, "PERSISTED_QUERY_NOT_FOUND")
    is_error(await post(only, documentId="1"), 404, "PERSISTED_QUERY_NOT_FOUND")
    assert only.upstream_requests == 0


async def test_path_of_a_document_is_not_that_of_graphiql_or_of_its_files(
    only: InProcess,
) -> None:
    html = {"Accept": "text/html"}
    assert "<html" in (await only.http.get("/graphql", headers=html)).text
    is_error(await only.http.get("/graphql/1", headers=html), 406, "BAD_REQUEST")
    browser = {"Accept": "text/html,*/*;q=0.8"}
    for path in ("/graphql/1", "/graphql/assets", "/graphql?documentId=1"):
        answer = await only.http.get(path, headers=browser)
        is_error(answer, 404, "PERSISTED_QUERY_NOT_FOUND")
    for path in ("/graphql/assets/1.js", "/graphql/1/2"):
        is_error(await only.http.get(path, headers=browser), 404, "BAD_REQUEST")
    moved = await only.http.get("/graphql/")
    assert (moved.status_code, moved.headers["Location"]) == (308, "../graphql")


async def test_hash_of_another_document_is_refused(
    open_gateway: InProcess,
) -> None:
    answer = await post(open_gateway, query=OTHER, extensions=hashed(COUNT_ID))
    is_error(answer, 400, "BAD_REQUEST")
    answer = await post(open_gateway, query=COUNT, extensions=hashed("many"))
    is_error(answer, 400, "BAD_REQUEST")


async def test_document_in_memory_and_in_the_manifest_is_not_hashed_again(
    open_gateway: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(open_gateway, query=OTHER, extensions=hashed(sha256_of(OTHER)))
    monkeypatch.delattr("gateway.web.documents_by_hash.new_sha256")
    for text in (OTHER, COUNT):
        answer = await post(open_gateway, query=text, extensions=hashed(sha256_of(text)))
        assert answer.json()["data"] == COUNTED
