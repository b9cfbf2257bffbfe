"""Trusted documents: those of a manifest, which clients send by their id or their hash.

Sources: the file of Relay's `persistConfig`, a JSON object of documents by id, which GraphQL Code
Generator writes as well; Apollo's `@apollo/generate-persisted-query-manifest`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256 as new_sha256
from typing import Literal

import msgspec
from graphql import GraphQLError

from gateway.schema.graph import Graph
from gateway.schema.persisted_documents import SHA256_HEX

APOLLO_FORMAT = "apollo-persisted-query-manifest"
FORMS = (
    'It has to be {"<id>": "<document>", …}, as Relay writes it, or '
    f'{{"format": "{APOLLO_FORMAT}", "version": 1, "operations": [{{"id": …, "body": …}}, …]}}, as '
    "Apollo does."
)


class InvalidManifest(Exception):
    """The manifest cannot be used; the message names the entry, and says why."""


class _Operation(msgspec.Struct):
    id: str
    body: str


class _ApolloManifest(msgspec.Struct):
    version: Literal[1]
    operations: list[_Operation]


class _Format(msgspec.Struct):
    format: object = None


@dataclass(frozen=True, slots=True)
class TrustedDocuments:
    """The texts of trusted documents by id, and by the SHA-256 of the text."""

    by_id: dict[str, str]
    texts: frozenset[str]

    def find(self, document_id: str) -> str | None:
        """Returns the text with this id or hash."""
        return self.by_id.get(document_id)


NO_TRUSTED_DOCUMENTS = TrustedDocuments({}, frozenset())


def load_trusted_documents(manifest: bytes, graph: Graph) -> TrustedDocuments:
    """Returns the documents of a manifest, each parsed and validated, without a limit.

    Raises `InvalidManifest`.
    """
    by_id: dict[str, str] = {}
    for document_id, text in _entries(manifest):
        name = document_id.removeprefix("sha256:")
        sha256 = new_sha256(text.encode()).hexdigest()
        is_hash = name != document_id or SHA256_HEX.fullmatch(name)
        if is_hash and name != sha256:
            raise InvalidManifest(
                f"the document {document_id!r} has another SHA-256 than its id: {sha256}."
            )
        if by_id.get(name, text) != text:
            raise InvalidManifest(f"the id {document_id!r} stands for two documents.")
        try:
            graph.trust(text)
        except GraphQLError as error:
            raise InvalidManifest(f"the document {document_id!r}: {error.message}") from error
        by_id[name] = by_id[sha256] = text
    return TrustedDocuments(by_id, frozenset(by_id.values()))


def _entries(manifest: bytes) -> Iterable[tuple[str, str]]:
    try:
        if msgspec.json.decode(manifest, type=_Format).format == APOLLO_FORMAT:
            operations = msgspec.json.decode(manifest, type=_ApolloManifest).operations
            return [(operation.id, operation.body) for operation in operations]
        return msgspec.json.decode(manifest, type=dict[str, str]).items()
    except msgspec.ValidationError as error:
        raise InvalidManifest(f"{error}. {FORMS}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidManifest(f"it is not JSON in UTF-8. {FORMS}") from error
