"""The `DateTime` scalar: RFC 3339; answers are in UTC with milliseconds, as JavaScript prints."""

import re
from datetime import UTC, datetime

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.federation.schema_directives import Tag

from gateway.bigcommerce.values import time_of
from gateway.schema.federation import SHARED_TAGS

# RFC 3339, 5.6: `date-time`, which has a zone.
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def date_time(moment: datetime) -> str:
    """Returns a time in RFC 3339, in UTC with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_date_time(value: object, node: ValueNode | None = None) -> datetime:
    """Returns the time in UTC that RFC 3339 writes so; raises `GraphQLError` for anything else.

    A time without a zone is refused: it would be another moment for each reader. `node` is where
    the document has the value.
    """
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        moment = time_of(value)
        if moment is not None:
            return moment
    raise GraphQLError(
        'A DateTime is written with its time and its zone, as in "2023-03-12T03:07:36Z" or '
        '"2023-03-12T05:07:36+02:00".',
        node,
    )


def parse_date_time_literal(node: ValueNode, _: object = None) -> datetime:
    """Returns the time that a document has; raises `GraphQLError` as `parse_date_time`."""
    return parse_date_time(value_from_ast_untyped(node), node)


DATE_TIME = strawberry.scalar(
    name="DateTime",
    directives=[Tag(name=tag) for tag in SHARED_TAGS],
    description=(
        'A date and time in RFC 3339, in UTC with milliseconds: "2023-03-12T03:07:36.000Z". As '
        "input, any precision and any zone; a time without a zone is refused."
    ),
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=date_time,
    parse_value=parse_date_time,
    parse_literal=parse_date_time_literal,
)
