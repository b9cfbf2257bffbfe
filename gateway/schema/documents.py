"""Documents: each is parsed, measured and validated once, then known by its text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from cachetools import LRUCache
from graphql import (
    BREAK,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    Visitor,
    VisitorAction,
    parse,
    validate,
    visit,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError

from gateway.schema.limits import TOKENS_SETTING, Limits, beyond, check_limits
from gateway.schema.sdl import ROUTERS_FIELDS

# Characters of the documents that are kept parsed and validated. Two-character tokens weigh most,
# some 330 bytes a character, so these are 70 MB at the worst, and far less as people write.
CHARACTERS_KEPT = 200_000
# Of a document with more mistakes, these are told: each error repeats names of the document.
ERRORS_TOLD = 20
# graphql-core's message, which names no setting.
TOO_MANY_TOKENS = "Syntax Error: Document contains more than {} tokens. Parsing aborted."


class OperationNotNamed(CannotGetOperationTypeError):
    """The document has several operations, of which the request names none.

    GraphQL, 6.1, GetOperation: that is an error, where Strawberry would execute the first.
    """


@dataclass(slots=True)
class KnownDocument:
    """A document within the limits, and what was found out about it so far."""

    document: DocumentNode
    has_several_operations: bool
    selects_routers_fields: bool | None = None
    errors: list[GraphQLError] | None = None


class KnownDocuments:
    """The documents of one graph by their text: those used last, up to `CHARACTERS_KEPT`."""

    def __init__(self, limits: Limits, characters: int = CHARACTERS_KEPT) -> None:
        self._limits = limits
        self.kept: LRUCache[str, KnownDocument] = LRUCache(characters, getsizeof=_characters)

    def find(self, text: str) -> KnownDocument:
        """Returns the document; parses it where it is not kept.

        Raises `GraphQLError` for one that does not parse, or is beyond the limits.
        """
        known = self.kept.get(text)
        if known is None:
            known = _parsed(text, self._limits)
            if len(text) <= self.kept.maxsize:
                self.kept[text] = known
        return known

    def is_for_routers(self, text: str) -> bool:
        """Whether the document selects `_entities` or `_service`; False where it cannot be used.

        Only a document that holds these words, if in a comment, is looked into.
        """
        if not any(name in text for name in ROUTERS_FIELDS):
            return False
        try:
            known = self.find(text)
        except GraphQLError:  # raised again when the document is executed
            return False
        if known.selects_routers_fields is None:
            search = _SearchForRoutersFields()
            visit(known.document, search)
            known.selects_routers_fields = search.has_found
        return known.selects_routers_fields


class Documents(SchemaExtension):
    """Strawberry's extension that takes over parsing and validation."""

    def __init__(self, known: KnownDocuments) -> None:
        self._known = known

    def on_parse(self) -> Iterator[None]:
        """Takes the document as it is known, or parses it.

        Raises `GraphQLError` for one beyond the limits, and `OperationNotNamed`.
        """
        context = self.execution_context
        self._entry = known = self._known.find(context.query or "")
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


def document_extensions(known: KnownDocuments) -> list[Callable[[], SchemaExtension]]:
    """Returns Strawberry's extensions that enforce the limits and keep documents ready."""
    return [partial(Documents, known)]


def _parsed(text: str, limits: Limits) -> KnownDocument:
    try:
        document = parse(text, max_tokens=limits.tokens)
    except GraphQLSyntaxError as error:
        if error.message == TOO_MANY_TOKENS.format(limits.tokens):
            error.message = beyond(limits.tokens, f"tokens ({TOKENS_SETTING})")
        raise
    check_limits(document, limits)
    operations = sum(isinstance(node, OperationDefinitionNode) for node in document.definitions)
    return KnownDocument(document, operations > 1)


class _SearchForRoutersFields(Visitor):
    """Looks for the fields anywhere: in a valid document they stand at a root alone."""

    has_found = False

    def enter_field(self, node: FieldNode, *_: object) -> VisitorAction:
        self.has_found = node.name.value in ROUTERS_FIELDS
        return BREAK if self.has_found else None


def _characters(known: KnownDocument) -> int:
    location = known.document.loc
    return len(location.source.body) if location else 1
