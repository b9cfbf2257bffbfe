"""Segments by id, for every field: each id has a row, null or its own error."""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from gateway.errors import BadUserInput, GatewayError
from gateway.identity import AccessScope
from gateway.pagination import MAXIMUM_ROWS
from gateway.request_scope import record_rows
from gateway.schema.context import Info
from gateway.schema.node import checked_entity_id, entity_id_of
from gateway.schema.scopes import refuse_each
from gateway.schema.segment import Segment, segment

Asked = TypeVar("Asked")


def segment_id(text: str) -> str:
    """Returns the uuid that the global id of a segment holds; raises `BadUserInput`."""
    return entity_id_of(text, "Segment")


def attempt(check: Callable[[Asked], str], asked: Asked) -> str | BadUserInput:
    """Returns the checked id, or the error that takes its place in the answer."""
    try:
        return check(asked)
    except BadUserInput as error:
        return error


def one_segment_id(global_id: str | None, entity_id: str | None) -> str:
    """Returns the uuid of one of the two ids; raises `BadUserInput` for none, both or a bad one."""
    if entity_id is not None and global_id is None:
        return checked_entity_id(entity_id)
    if global_id is not None and entity_id is None:
        return segment_id(global_id)
    raise BadUserInput("Pass exactly one of `id` and `entityId`.")


def check_number(ids: Sequence[str], argument: str) -> None:
    """Raises `BadUserInput` if a list of ids is too long."""
    if len(ids) > MAXIMUM_ROWS:
        raise BadUserInput(
            f"`{argument}` has {len(ids)} ids. Ask for at most {MAXIMUM_ROWS} at once."
        )


async def look_up(info: Info, ids: Sequence[str | GatewayError]) -> list[Segment | None]:
    """Returns the segments in the order of the ids, None for one that does not exist.

    An error takes the place of its segment: graphql-core reports it there, and keeps the others.
    `Forbidden` takes the place of each for a client without the scope of segments. Raises an error
    in place of all segments once the request has too many of them.
    """
    ids = refuse_each(info, AccessScope.SEGMENTS_READ, ids)
    info.context.spend_errors([row_id for row_id in ids if isinstance(row_id, GatewayError)])
    uuids = [row_id for row_id in ids if isinstance(row_id, str)]
    loaded = await info.context.segment_lookups.load(uuids)
    info.context.spend_errors([row for row in loaded if isinstance(row, GatewayError)])
    record_rows([row for row in loaded if not isinstance(row, GatewayError)])
    rows = iter(loaded)
    found: list[Segment | GatewayError | None] = []
    for row_id in ids:
        row = next(rows) if isinstance(row_id, str) else row_id
        found.append(row if row is None or isinstance(row, GatewayError) else segment(row))
    return cast(list[Segment | None], found)
