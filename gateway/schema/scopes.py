"""The scopes of fields: a client reads a field only if it has the field's scope.

A field that can be null names its scope with `NeedsScope`, which also checks it. A list by ids
cannot be null: it names its scope with `NamesScope`, and `refuse_each` refuses its ids. Lookups by
id refuse the ids of their type, too: so `node`, `nodes` and `_entities` follow an object's type.

Nothing is read before the check: what a cache holds for one client is no way around it.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver, SyncExtensionResolver
from strawberry.federation.schema_directives import RequiresScopes
from strawberry.types.field import StrawberryField

from gateway.errors import GatewayError
from gateway.identity import AccessScope
from gateway.schema.context import Info

Key = TypeVar("Key")


def scope_sentence(scope: AccessScope) -> str:
    """Returns the sentence for the description of what needs the scope."""
    return f"Needs the scope `{scope}`."


class NamesScope(FieldExtension):
    """Names the scope in the field's description, and as federation's `@requiresScopes`."""

    def __init__(self, scope: AccessScope) -> None:
        self.scope = scope

    def apply(self, field: StrawberryField) -> None:
        """Adds the sentence and the directive; once, though several schemas have the field."""
        if not any(isinstance(one, RequiresScopes) for one in field.directives):
            field.description = f"{field.description} {scope_sentence(self.scope)}"
            field.directives = [*field.directives, RequiresScopes(scopes=[[self.scope]])]


class NeedsScope(NamesScope):
    """Names the scope, and refuses the field to clients without it: null, with `FORBIDDEN`."""

    def resolve(
        self, next_: SyncExtensionResolver, source: object, info: Info, **arguments: object
    ) -> Any:
        """Resolves the field; raises `Forbidden`."""
        self._check(info)
        return next_(source, info, **arguments)

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: object, info: Info, **arguments: object
    ) -> Any:
        """Resolves the field; raises `Forbidden`."""
        self._check(info)
        return await next_(source, info, **arguments)

    def _check(self, info: Info) -> None:
        if (refused := info.context.client.refusal(self.scope)) is not None:
            raise refused


def refuse_each(
    info: Info, scope: AccessScope, ids: Sequence[Key | GatewayError]
) -> Sequence[Key | GatewayError]:
    """Returns the ids, with `Forbidden` in place of each if the client lacks the scope."""
    refused = info.context.client.refusal(scope)
    return (
        ids
        if refused is None
        else [one if isinstance(one, GatewayError) else refused for one in ids]
    )
