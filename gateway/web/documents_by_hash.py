"""The document of a request: its own text, or the one that its id or hash stands for."""

from dataclasses import dataclass
from hashlib import sha256 as new_sha256

from gateway.errors import ErrorCode
from gateway.identity import Client
from gateway.schema import PersistedDocuments, TrustedDocuments
from gateway.web.graphql_request import GraphQLRequest
from gateway.web.request_error import RequestError

# Clients compare the message, and then send the document. Some of them read no body of a 4xx,
# hence the status 200 (docs/decisions/0021).
NOT_FOUND = "PersistedQueryNotFound"
MISMATCH = "provided sha does not match query"  # as Apollo Server says it
UNKNOWN_ID = (
    "There is no document with this `documentId`: send one of the manifest that the gateway runs "
    "with. A hash needs the prefix `sha256:`."
)
NOT_TRUSTED = (
    "Only trusted documents are executed (GATEWAY_TRUSTED_DOCUMENTS_ONLY), and this is none of "
    "them: add it to the manifest."
)


@dataclass(frozen=True, slots=True)
class DocumentsByHash:
    """The documents that requests may name; without `persisted`, only trusted ones are executed."""

    trusted: TrustedDocuments
    persisted: PersistedDocuments | None

    def known_text_of(self, asked: GraphQLRequest) -> str | None:
        """Returns the document of a request if it is in memory, and need not be stored.

        None does not mean that there is none, nor that `text_of` has no error.
        """
        if asked.query is not None:
            if asked.sha256 is None:
                is_known = self.persisted is not None or asked.query in self.trusted.texts
            else:
                is_known = self.trusted.find(asked.sha256) == asked.query
            return asked.query if is_known else None
        text = self.trusted.find(asked.sha256 or asked.document_id or "")
        if text is None and self.persisted is not None and asked.sha256 is not None:
            text = self.persisted.in_memory(asked.sha256)
        return text

    async def text_of(self, asked: GraphQLRequest) -> str:
        """Returns the document of a request; raises `RequestError` if there is none to execute."""
        if asked.query is not None:
            if asked.sha256 is not None:
                self._check_hash(asked.sha256, asked.query)
            if self.persisted is None and asked.query not in self.trusted.texts:
                raise RequestError(403, NOT_TRUSTED, code=ErrorCode.FORBIDDEN)
            return asked.query
        text = self.trusted.find(asked.sha256 or asked.document_id or "")
        if text is None and self.persisted is not None and asked.sha256 is not None:
            text = await self.persisted.find(asked.sha256)
        if text is None:
            status, message = (200, NOT_FOUND) if asked.document_id is None else (404, UNKNOWN_ID)
            raise RequestError(status, message, code=ErrorCode.PERSISTED_QUERY_NOT_FOUND)
        return text

    async def keep(self, sha256: str, text: str, client: Client) -> None:
        """Stores a document that came with its hash; call it once the text is valid."""
        if self.persisted is not None and text not in self.trusted.texts:
            await self.persisted.keep(sha256, text, client.name)

    def _check_hash(self, sha256: str, text: str) -> None:
        """Raises `RequestError` if it is not the hash of the text; hashes only unknown texts."""
        if self.trusted.find(sha256) == text:
            return
        if self.persisted is not None and self.persisted.knows(sha256, text):
            return
        if new_sha256(text.encode()).hexdigest() != sha256:
            raise RequestError(400, MISMATCH)
