"""Documents by hash as in a gateway without a manifest and without Redis."""

from gateway.schema import NO_TRUSTED_DOCUMENTS, PersistedDocuments
from gateway.web import DocumentsByHash


def documents_in_memory() -> DocumentsByHash:
    """Returns a store of documents that is empty."""
    return DocumentsByHash(NO_TRUSTED_DOCUMENTS, PersistedDocuments(None, "store", lambda: 0.0))
