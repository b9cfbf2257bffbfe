"""The manifests of trusted documents, and what no limit applies to."""

import json
from hashlib import md5, sha256

import pytest

from gateway.schema import InvalidManifest, Limits, build_graph, load_trusted_documents
from gateway.schema.trusted_documents import FORMS

COUNT = "query Count { segments { totalCount } }"
NAMES = "query Names { segments { nodes { name } } }"
DEEP = (
    "{ segments { nodes { id } edges { node { id } } } "
    + "".join(f"a{n}: segments {{ totalCount }} " for n in range(150))
    + "}"
)
SDL = "{ _service { sdl } }"


def sha256_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def relay(*texts: str) -> bytes:
    # The ids of Relay's compiler are MD5 unless another algorithm is set.
    return json.dumps({md5(t.encode()).hexdigest(): t for t in texts}).encode()


def apollo(*operations: tuple[str, str]) -> bytes:
    return json.dumps(
        {
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [
                {"id": document_id, "name": "Name", "type": "query", "body": body}
                for document_id, body in operations
            ],
        }
    ).encode()


@pytest.mark.parametrize(
    "manifest",
    [
        relay(COUNT, NAMES),
        json.dumps({sha256_of(text): text for text in (COUNT, NAMES)}).encode(),
        apollo((sha256_of(COUNT), COUNT), (f"sha256:{sha256_of(NAMES)}", NAMES)),
        apollo(("1", COUNT), ("2", NAMES), ("2", NAMES)),
    ],
    ids=["Relay", "Relay, SHA-256", "Apollo", "Apollo, own ids"],
)
def test_documents_of_a_manifest_are_found_by_hash(manifest: bytes) -> None:
    trusted = load_trusted_documents(manifest, build_graph())
    assert {*trusted.texts} == {COUNT, NAMES}
    for text in (COUNT, NAMES):
        assert trusted.find(sha256_of(text)) == text
    assert trusted.find(sha256_of(SDL)) is None


def test_documents_are_found_by_the_id_of_the_manifest() -> None:
    trusted = load_trusted_documents(apollo(("web/1.0/count", COUNT)), build_graph())
    assert trusted.find("web/1.0/count") == COUNT
    trusted = load_trusted_documents(relay(COUNT), build_graph())
    assert trusted.find(md5(COUNT.encode()).hexdigest()) == COUNT


async def test_trusted_document_has_no_limits_and_is_never_dropped() -> None:
    graph = build_graph(Limits(tokens=50, depth=3, aliases=0))
    load_trusted_documents(relay(DEEP, SDL), graph)
    known = graph.documents.find(DEEP)
    assert (known.is_trusted, known.errors) == (True, [])
    assert await graph.schema_for(DEEP, "a") is graph.api
    assert await graph.schema_for(SDL, "a") is graph.subgraph
    for number in range(100):
        graph.documents.find(f"{{ here }} # {number} {'x' * 10_000}")
    assert graph.documents.find(DEEP) is known
    assert not graph.documents.find("{ here }").is_trusted


NESTED = "{ segments " * 2000 + "}" * 2000
CHAIN = "{ ...F0 } fragment F3000 on Query { __typename } " + "".join(
    f"fragment F{n} on Query {{ ...F{n + 1} }} " for n in range(3000)
)
UNFIT = (
    (b"[]", f"Expected `object`, got `array`. {FORMS}"),
    (b'{"1": 7}', f"Expected `str`, got `int` - at `$[...]`. {FORMS}"),
    (b"{", f"it is not JSON in UTF-8. {FORMS}"),
    (b'{"1": "\xff"}', f"it is not JSON in UTF-8. {FORMS}"),
    (b'{"1": ' + b"[" * 100_000, f"it is not JSON in UTF-8. {FORMS}"),
    (
        b'{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}',
        f"Invalid enum value 2 - at `$.version`. {FORMS}",
    ),
    (
        b'{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "1"}]}',
        f"Object missing required field `body` - at `$.operations[0]`. {FORMS}",
    ),
    (
        apollo((sha256_of(NAMES), COUNT)),
        f"the document '{sha256_of(NAMES)}' has another SHA-256 than its id: {sha256_of(COUNT)}.",
    ),
    (
        apollo(("sha256:1", COUNT)),
        f"the document 'sha256:1' has another SHA-256 than its id: {sha256_of(COUNT)}.",
    ),
    (apollo(("1", COUNT), ("1", NAMES)), "the id '1' stands for two documents."),
    (
        apollo(("1", COUNT), ("2", "{ segments")),
        "the document '2': Syntax Error: Expected Name, found <EOF>.",
    ),
    (
        apollo(("1", "{ nothing }")),
        "the document '1': Cannot query field 'nothing' on type 'Query'.",
    ),
    (
        apollo(("1", NESTED)),
        "the document '1': Syntax Error: Document is nested too deeply. Parsing aborted.",
    ),
    (apollo(("1", CHAIN)), "the document '1': Validation aborted."),
)


@pytest.mark.parametrize(("manifest", "sentence"), UNFIT, ids=range(len(UNFIT)))
def test_manifest_that_cannot_be_used_is_refused(manifest: bytes, sentence: str) -> None:
    with pytest.raises(InvalidManifest) as caught:
        load_trusted_documents(manifest, build_graph())
    assert str(caught.value) == sentence
