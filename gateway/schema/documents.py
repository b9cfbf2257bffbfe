"""A cache of documents by their text: each is parsed, measured and validated once."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from cachetools import LRUCache
from graphql import (
    BREAK,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    Visitor,
    VisitorAction,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError

from gateway.instrumentation import OFF, Instrumentation, NamedOperation, Step
from gateway.schema.context import Context
from gateway.schema.cost import Weigher, Weight, check_cost
from gateway.schema.introspection import RULES_WITHOUT_INTROSPECTION
from gateway.schema.limits import TOKENS_SETTING, Limits, beyond, check_limits
from gateway.schema.plans.plans import OperationPlans
from gateway.schema.sdl import ROUTERS_FIELDS

# Characters of all cached documents. Parsed, a character takes up to 330 bytes (in tokens of two
# characters), so the cache takes 70 MB at the most, and far less with usual documents.
CACHED_CHARACTERS = 200_000
# A document that is longer than this share of the cache would drop too many others, and is parsed
# each time.
SHARE_OF_ONE = 0.1
# Of the name of an operation in telemetry.
LONGEST_NAME = 100
# Validation stops after this many errors, since each of them quotes the document.
MAXIMUM_ERRORS = 20
# graphql-core's message, which names no setting.
TOO_MANY_TOKENS = "Syntax Error: Document contains more than {} tokens. Parsing aborted."


class OperationNotNamed(CannotGetOperationTypeError):
    """The document has several operations, and the request names none of them.

    GraphQL, 6.1, GetOperation: that is an error; Strawberry would execute the first.
    """


@dataclass(slots=True)
class KnownDocument:
    """A parsed document within the limits; `errors` are None until it is validated.

    It is for routers if it selects `_entities` or `_service`. One that `is_trusted` is of the
    operator's manifest: no limit of a document applies to it. `weights` and `plans` are those of
    its operations by the name that the request gives; an operation has a weight once it was
    executed. `names` are those of its operations, empty for one without.
    """

    document: DocumentNode
    names: tuple[str, ...]
    is_for_routers: bool
    errors: list[GraphQLError] | None = None
    is_trusted: bool = False
    weights: dict[str | None, Weight] = field(default_factory=dict)
    plans: dict[str | None, OperationPlans] = field(default_factory=dict)

    @property
    def has_several_operations(self) -> bool:
        """Whether a request has to name one of its operations."""
        return len(self.names) > 1

    def operation(self, requested: str | None) -> NamedOperation:
        """Returns the operation that a request with this `operationName` asks for."""
        if requested is None and len(self.names) == 1:
            requested = self.names[0]
        if requested is None or requested not in self.names:
            return NamedOperation("", self.is_trusted)
        return NamedOperation(requested[:LONGEST_NAME], self.is_trusted)


class KnownDocuments:
    """The documents of one graph by their text, least recently used ones dropped.

    `trusted` are those of the operator's manifest, which are never dropped. Without
    `introspection`, any other document that reads the schema is not valid.
    """

    def __init__(
        self,
        limits: Limits,
        characters: int = CACHED_CHARACTERS,
        *,
        introspection: bool = True,
        instrumentation: Instrumentation = OFF,
    ) -> None:
        self.instrumentation = instrumentation
        self._limits = limits
        self._introspection = introspection
        self.trusted: dict[str, KnownDocument] = {}
        self.cache: LRUCache[str, KnownDocument] = LRUCache(characters, getsizeof=_characters)
        self._longest = characters * SHARE_OF_ONE
        # The endpoint and the extension below both look for one that is too long to be cached.
        self._last: tuple[str, KnownDocument | None] = ("", None)

    def find(self, text: str) -> KnownDocument:
        """Returns the document; parses it if it is not cached.

        Raises `GraphQLError` if it does not parse or exceeds a limit.
        """
        known = self.peek(text)
        if known is None and text == self._last[0]:
            known = self._last[1]
        if known is None:
            with self.instrumentation.step(Step.PARSING):
                known = _parsed(text, self._limits)
            if len(text) <= self._longest:
                self.cache[text] = known
            else:
                self._last = (text, known)
        return known

    def peek(self, text: str) -> KnownDocument | None:
        """Returns the document if it is parsed."""
        return self.trusted.get(text) or self.cache.get(text)

    def operation(self, text: str, requested: str | None) -> NamedOperation | None:
        """Returns the operation that a request asks for; None if the document is not parsed."""
        known = self.peek(text)
        if known is None and text == self._last[0]:
            known = self._last[1]
        return None if known is None else known.operation(requested)

    def knows(self, text: str) -> bool:
        """Whether the document is parsed, and stays so."""
        return text in self.trusted or text in self.cache

    def validate(self, schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
        """Returns the errors of a document that is not valid, at most `MAXIMUM_ERRORS` + 1."""
        with self.instrumentation.step(Step.VALIDATION):
            return validate(
                schema,
                document,
                specified_rules if self._introspection else RULES_WITHOUT_INTROSPECTION,
                max_errors=MAXIMUM_ERRORS,
                hide_suggestions=not self._introspection,
            )

    def trust(self, text: str, schema_for: Callable[[KnownDocument], GraphQLSchema]) -> None:
        """Adds a document of the operator's manifest, parsed and validated without limits.

        Raises `GraphQLError` if it does not parse, or does not fit the schema.
        """
        known = _parsed(text, None)
        known.errors = validate(schema_for(known), known.document)
        if known.errors:
            raise known.errors[0]
        known.is_trusted = True
        self.trusted[text] = known


class Documents(SchemaExtension):
    """Extension of Strawberry that replaces parsing and validation by the cache."""

    def __init__(self, known: KnownDocuments) -> None:
        self._known = known

    def on_parse(self) -> Iterator[None]:
        """Finds the document.

        Raises `GraphQLError` like `KnownDocuments.find`, and `OperationNotNamed`.
        """
        context = self.execution_context
        self._entry = known = self._known.find(context.query or "")
        context.graphql_document = known.document
        # The public attribute falls back to the first operation's name.
        if known.has_several_operations and context._provided_operation_name is None:
            raise OperationNotNamed(None)
        yield

    def on_validate(self) -> Iterator[None]:
        """Sets the validation errors of the document, found once."""
        context = self.execution_context
        if self._entry.errors is None:
            self._entry.errors = self._known.validate(context.schema._schema, self._entry.document)
        context.pre_execution_errors = self._entry.errors or self._too_costly()
        yield

    def on_execute(self) -> Iterator[None]:
        """Reports the execution."""
        with self._known.instrumentation.step(Step.EXECUTION):
            yield

    def _too_costly(self) -> list[GraphQLError]:
        """Weighs the operation, which is valid; returns an error if its cost is beyond a limit."""
        context, known = self.execution_context, self._entry
        name = context._provided_operation_name
        weight = known.weights.get(name)
        if weight is None:
            operation = cast(OperationDefinitionNode, get_operation_ast(known.document, name))
            weight = Weigher(context.schema._schema).weigh(known.document, operation)
            known.weights[name] = weight
        values, size = weight.of(context.variables or {})
        if isinstance(context.context, Context):
            context.context.values = values
        return [] if known.is_trusted else check_cost(values, size)


def document_extensions(known: KnownDocuments) -> list[Callable[[], SchemaExtension]]:
    """Returns the extensions of a Strawberry schema that takes its documents from `known`."""
    return [partial(Documents, known)]


def _parsed(text: str, limits: Limits | None) -> KnownDocument:
    document = parse(text) if limits is None else _parsed_within(limits, text)
    names = tuple(
        "" if node.name is None else node.name.value
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    )
    # Only a text with the name of a field can select it.
    is_for_routers = any(name in text for name in ROUTERS_FIELDS) and _selects_any(
        document, ROUTERS_FIELDS
    )
    return KnownDocument(document, names, is_for_routers)


def _parsed_within(limits: Limits, text: str) -> DocumentNode:
    try:
        document = parse(text, max_tokens=limits.tokens)
    except GraphQLSyntaxError as error:
        if error.message == TOO_MANY_TOKENS.format(limits.tokens):
            error.message = beyond(limits.tokens, f"tokens ({TOKENS_SETTING})")
        raise
    try:
        check_limits(document, limits)
    except RecursionError as error:
        raise GraphQLError(str(error), original_error=error) from error
    return document


def _selects_any(document: DocumentNode, fields: Collection[str]) -> bool:
    """Whether the document selects one of these fields, at any depth."""
    search = _FieldSearch(fields)
    visit(document, search)
    return search.has_found


class _FieldSearch(Visitor):
    def __init__(self, fields: Collection[str]) -> None:
        super().__init__()
        self._fields = fields
        self.has_found = False

    def enter_field(self, node: FieldNode, *_: object) -> VisitorAction:
        self.has_found = node.name.value in self._fields
        return BREAK if self.has_found else None


def _characters(known: KnownDocument) -> int:
    location = known.document.loc
    return len(location.source.body) if location else 1
