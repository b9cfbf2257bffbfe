"""What one request may ask for at the most; every limit is on by default."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from cachetools import LRUCache
from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    specified_rules,
)
from strawberry.extensions import MaxAliasesLimiter, QueryDepthLimiter, SchemaExtension
from strawberry.schema.schema import validate_document

# Characters of the documents that are kept parsed and validated. Two-character tokens weigh most,
# some 330 bytes a character, so these are 70 MB at the worst, and far less as people write.
CHARACTERS_KEPT = 200_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may have; its fragments may expand to as many fields as `tokens`."""

    tokens: int = 4000
    depth: int = 15
    aliases: int = 100


@dataclass(slots=True)
class _Known:
    document: DocumentNode
    errors: list[GraphQLError] | None = None


class Documents(SchemaExtension):
    """Strawberry's extension that parses, measures and validates each document once."""

    def __init__(
        self,
        limits: Limits,
        rules: tuple[type[ASTValidationRule], ...],
        known: LRUCache[str, _Known],
    ) -> None:
        self._limits = limits
        self._rules = rules
        self._known = known

    def on_parse(self) -> Iterator[None]:
        """Takes the document as it is known, or parses it; a too large one is a `GraphQLError`."""
        text = self.execution_context.query or ""
        known = self._known.get(text)
        if known is None:
            known = _Known(parse(text, max_tokens=self._limits.tokens))
            check_expansion(known.document, self._limits.tokens)
            if len(text) <= self._known.maxsize:
                self._known[text] = known
        self._entry = known
        self.execution_context.graphql_document = known.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Takes the errors of the document as they are known, or finds them."""
        if self._entry.errors is None:
            self._entry.errors = validate_document(
                self.execution_context.schema._schema, self._entry.document, self._rules
            )
        self.execution_context.pre_execution_errors = self._entry.errors
        yield


def extensions(limits: Limits) -> list[Callable[[], SchemaExtension]]:
    """Returns Strawberry's extensions that enforce the limits and keep known documents ready."""
    rules = (
        *specified_rules,
        *QueryDepthLimiter(max_depth=limits.depth).validation_rules,
        *MaxAliasesLimiter(max_alias_count=limits.aliases).validation_rules,
    )
    known: LRUCache[str, _Known] = LRUCache(CHARACTERS_KEPT, getsizeof=_characters)
    return [partial(Documents, limits, rules, known)]


def check_expansion(document: DocumentNode, maximum: int) -> None:
    """Refuses a document whose fragments, written out, are more than `maximum` selections.

    Fragments that spread others twice each double at every step; the rules of validation walk what
    they expand to. This counts without walking: each fragment once.
    """
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    sizes: dict[str, int] = {}

    def fragment_size(name: str) -> int:
        if name not in sizes:
            sizes[name] = 0  # a cycle, or a name that is not there, is validation's to refuse
            if name in fragments:
                sizes[name] = size(fragments[name].selection_set)
        return sizes[name]

    def size(selections: SelectionSetNode | None) -> int:
        total = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FragmentSpreadNode):
                total += 1 + fragment_size(node.name.value)
            elif isinstance(node, FieldNode | InlineFragmentNode):
                total += 1 + size(node.selection_set)
        return total

    operations = [n for n in document.definitions if isinstance(n, OperationDefinitionNode)]
    expanded = [
        *(fragment_size(name) for name in fragments),
        *(size(o.selection_set) for o in operations),
    ]
    if max(expanded, default=0) > maximum:
        raise GraphQLError(
            f"The document's fragments expand to more than {maximum} fields "
            "(GATEWAY_MAX_QUERY_TOKENS). Spread them less often."
        )


def _characters(known: _Known) -> int:
    location = known.document.loc
    return len(location.source.body) if location else 1
