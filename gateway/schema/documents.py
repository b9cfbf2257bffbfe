"""Documents: each is parsed, measured and validated once, then known by its text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from cachetools import LRUCache
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, parse, validate
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError

from gateway.schema.limits import Limits, check_limits

# Characters of the documents that are kept parsed and validated. Two-character tokens weigh most,
# some 330 bytes a character, so these are 70 MB at the worst, and far less as people write.
CHARACTERS_KEPT = 200_000
# Of a document with more mistakes, these are told: each error repeats names of the document.
ERRORS_TOLD = 20


class OperationNotNamed(CannotGetOperationTypeError):
    """The document has several operations, of which the request names none.

    GraphQL, 6.1, GetOperation: that is an error, where Strawberry would execute the first.
    """


@dataclass(slots=True)
class _Known:
    document: DocumentNode
    has_several_operations: bool
    errors: list[GraphQLError] | None = None


class Documents(SchemaExtension):
    """Strawberry's extension that takes over parsing and validation."""

    def __init__(self, limits: Limits, known: LRUCache[str, _Known]) -> None:
        self._limits = limits
        self._known = known

    def on_parse(self) -> Iterator[None]:
        """Takes the document as it is known, or parses it.

        Raises `GraphQLError` for one beyond the limits, and `OperationNotNamed`.
        """
        context = self.execution_context
        text = context.query or ""
        known = self._known.get(text)
        if known is None:
            known = _parsed(text, self._limits)
            if len(text) <= self._known.maxsize:
                self._known[text] = known
        self._entry = known
        context.graphql_document = known.document
        # Private: the public name falls back to the first operation's.
        if known.has_several_operations and context._provided_operation_name is None:
            raise OperationNotNamed(None)
        yield

    def on_validate(self) -> Iterator[None]:
        """Takes the errors of the document as they are known, or finds them."""
        context = self.execution_context
        if self._entry.errors is None:
            self._entry.errors = validate(
                context.schema._schema, self._entry.document, max_errors=ERRORS_TOLD
            )
        context.pre_execution_errors = self._entry.errors
        yield


def document_extensions(limits: Limits) -> list[Callable[[], SchemaExtension]]:
    """Returns Strawberry's extensions that enforce the limits and keep known documents ready."""
    known: LRUCache[str, _Known] = LRUCache(CHARACTERS_KEPT, getsizeof=_characters)
    return [partial(Documents, limits, known)]


def _parsed(text: str, limits: Limits) -> _Known:
    document = parse(text, max_tokens=limits.tokens)
    check_limits(document, limits)
    operations = sum(isinstance(node, OperationDefinitionNode) for node in document.definitions)
    return _Known(document, operations > 1)


def _characters(known: _Known) -> int:
    location = known.document.loc
    return len(location.source.body) if location else 1
