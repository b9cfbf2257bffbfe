"""The limits of a document: tokens, fields, depth and aliases. All are on by default."""

from collections import Counter
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.validation.rules import overlapping_fields_can_be_merged

TOKENS_SETTING = "GATEWAY_MAX_QUERY_TOKENS"
# Maximum fields of one name in a selection, with its fragments written out: validation compares
# each with all others.
REPEATS = 100
OPERATIONS = 20
# graphql-core aborts a validation that compares more fields than this: 10 ms at the most.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """The most lexical tokens, levels of nested fields and aliases of a document.

    `tokens` limits its fields, too. Fields, depth and aliases count with fragments expanded;
    the depth of introspection does not count.
    """

    tokens: int = 1000
    depth: int = 15
    aliases: int = 100


@dataclass(slots=True)
class _Measure:
    """The size of a selection set with its fragments expanded; `times` counts its own fields."""

    selections: int = 0
    aliases: int = 0
    depth: int = 0
    repeats: int = 0
    times: Counter[str] = field(default_factory=Counter)

    def add(self, inner: "_Measure", levels: int = 0) -> None:
        self.selections += inner.selections
        self.aliases += inner.aliases
        self.depth = max(self.depth, levels + inner.depth)
        self.repeats = max(self.repeats, inner.repeats)
        if not levels:  # a fragment: its fields belong to this selection
            self.times.update(inner.times)


def check_limits(document: DocumentNode, limits: Limits) -> None:
    """Raises `GraphQLError` for a document that exceeds a limit.

    A chain of fragments that each spread the next one twice doubles at every step, and validation
    walks all of it. This measures each fragment once, so it is linear in the document. Cycles and
    unknown names are left to validation.
    """
    fragments = {
        node.name.value: node.selection_set
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    known: dict[str, _Measure] = {}

    def fragment(name: str) -> _Measure:
        if name not in known:
            known[name] = _Measure()  # ends a cycle
            known[name] = measure(fragments.get(name))
        return known[name]

    def measure(selection_set: SelectionSetNode | None) -> _Measure:
        found = _Measure()
        for node in selection_set.selections if selection_set else ():
            found.selections += 1
            if isinstance(node, FragmentSpreadNode):
                found.add(fragment(node.name.value))
            elif isinstance(node, InlineFragmentNode):
                found.add(measure(node.selection_set))
            elif isinstance(node, FieldNode):
                inner = measure(node.selection_set)
                found.times[(node.alias or node.name).value] += 1
                found.aliases += node.alias is not None
                if node.name.value.startswith("__"):  # validation limits introspection
                    inner.depth = 0
                found.add(inner, levels=1)
        found.repeats = max(found.repeats, *found.times.values(), 0)
        return found

    whole = _Measure()
    operations = [n for n in document.definitions if isinstance(n, OperationDefinitionNode)]
    for operation in operations:
        whole.add(measure(operation.selection_set))
    # Validation also walks fragments that no operation spreads.
    each = [whole, *(fragment(name) for name in fragments)]
    fields = f"fields with its fragments written out ({TOKENS_SETTING})"
    for number, allowed, what in (
        (max(m.selections for m in each), limits.tokens, fields),
        (max(m.repeats for m in each), REPEATS, "fields of one name in one selection"),
        (len(operations), OPERATIONS, "operations"),
        (whole.aliases, limits.aliases, "aliases (GATEWAY_MAX_QUERY_ALIASES)"),
        (whole.depth, limits.depth, "levels of nested fields (GATEWAY_MAX_QUERY_DEPTH)"),
    ):
        if number > allowed:
            # The number itself may have hundreds of digits, so the message leaves it out.
            raise GraphQLError(beyond(allowed, what))


def beyond(allowed: int, what: str) -> str:
    """Returns the message for a document that exceeds a limit."""
    return f"The document has more than {allowed} {what}. Ask for less, or send several requests."
