"""Rows by id, for every field: each id has a row, null or its own error."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar, cast

from gateway.data_source import LOOKUP_IDS
from gateway.errors import BadUserInput, GatewayError, UpstreamError
from gateway.identity import AccessScope
from gateway.pagination import MAXIMUM_ROWS
from gateway.row import Row
from gateway.schema.context import ROWS_TO_AN_ID, Info
from gateway.schema.scopes import refuse_each

REQUESTS_TO_ALL_IDS: Final = -(-MAXIMUM_ROWS // LOOKUP_IDS)

Asked = TypeVar("Asked")
Key = TypeVar("Key")
Shown = TypeVar("Shown")


def attempt(check: Callable[[Asked], Key], asked: Asked) -> Key | BadUserInput:
    """Returns the checked id, or the error that takes its place in the answer."""
    try:
        return check(asked)
    except BadUserInput as error:
        return error


def spend_ids(info: Info, ids: Sequence[object], argument: str) -> None:
    """Counts ids before any of them is read; raises `BadUserInput` if there are too many."""
    if len(ids) > MAXIMUM_ROWS:
        raise BadUserInput(
            f"`{argument}` has {len(ids)} ids. Ask for at most {MAXIMUM_ROWS} at once."
        )
    info.context.spend_rows(len(ids) * ROWS_TO_AN_ID)


async def look_up_rows(
    info: Info,
    scope: AccessScope,
    ids: Sequence[str | GatewayError],
    load: Callable[[Sequence[str]], Awaitable[list[Row | UpstreamError | None]]],
    show: Callable[[Row], Shown],
) -> list[Shown | None]:
    """Returns the shown rows in the order of the ids, None for one that does not exist.

    An error takes the place of its row: graphql-core reports it there, and keeps the others.
    `Forbidden` takes the place of each for a client without the scope. Raises an error in place of
    all rows once the request has too many of them.
    """
    ids = refuse_each(info, scope, ids)
    info.context.spend_errors([row_id for row_id in ids if isinstance(row_id, GatewayError)])
    loaded = await load([row_id for row_id in ids if isinstance(row_id, str)])
    info.context.spend_errors([row for row in loaded if isinstance(row, GatewayError)])
    rows = iter(loaded)
    found: list[Shown | GatewayError | None] = []
    for row_id in ids:
        row = next(rows) if isinstance(row_id, str) else row_id
        found.append(row if row is None or isinstance(row, GatewayError) else show(row))
    return cast("list[Shown | None]", found)
