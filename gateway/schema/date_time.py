"""The `DateTime` scalar: RFC 3339 in UTC with milliseconds, as JavaScript prints dates."""

from datetime import UTC, datetime

import strawberry
from strawberry.federation.schema_directives import Tag

from gateway.schema.federation import SHARED_TAGS


def date_time(moment: datetime) -> str:
    """Returns a time in RFC 3339, in UTC with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


DATE_TIME = strawberry.scalar(
    name="DateTime",
    directives=[Tag(name=tag) for tag in SHARED_TAGS],
    description=(
        'A date and time in RFC 3339, in UTC with milliseconds: "2023-03-12T03:07:36.000Z".'
    ),
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=date_time,
    parse_value=datetime.fromisoformat,
)
