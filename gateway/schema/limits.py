"""What one request may ask for at the most; every limit is on by default."""

from collections.abc import Callable
from dataclasses import dataclass

from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    SchemaExtension,
    ValidationCache,
)

# Documents kept parsed and validated: an application has tens, and a document weighs some 50 KB.
DOCUMENTS_KEPT = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """Tokens, depth and aliases of one document."""

    tokens: int = 4000
    depth: int = 15
    aliases: int = 100


def extensions(limits: Limits) -> list[Callable[[], SchemaExtension]]:
    """Returns Strawberry's extensions that enforce the limits and keep known documents ready."""
    # Made once: the cache of validated documents tells rules apart by their identity.
    rules = [
        *QueryDepthLimiter(max_depth=limits.depth).validation_rules,
        *MaxAliasesLimiter(max_alias_count=limits.aliases).validation_rules,
    ]
    return [
        lambda: MaxTokensLimiter(max_token_count=limits.tokens),
        lambda: AddValidationRules(rules),
        lambda: ParserCache(maxsize=DOCUMENTS_KEPT),
        lambda: ValidationCache(maxsize=DOCUMENTS_KEPT),
    ]
