"""What a client needs for a mutation: the scope to write, and those to read what it selects."""

from collections.abc import Mapping

from gateway.identity import AccessScope
from gateway.schema.connection import fields_below
from gateway.schema.context import Info
from gateway.schema.scopes import NeedsScope


class WriteScope(NeedsScope):
    """Refuses a mutation to clients without its scope: null, with `FORBIDDEN`, nothing is sent.

    `shows` are the scopes of fields of the payload, by name. A payload's lists cannot be null, so a
    client that selects one without its scope is refused before anything is written.
    """

    def __init__(self, scope: AccessScope, shows: Mapping[str, AccessScope]) -> None:
        super().__init__(scope)
        self._shows = shows

    def _check(self, info: Info) -> None:
        super()._check(info)
        for fields in fields_below(info).values():
            name = fields[0].name
            scope = self._shows.get(name)
            if scope is None:
                continue
            refused = info.context.client.refusal(scope, f"Nothing was sent: selecting `{name}`")
            if refused is not None:
                raise refused
