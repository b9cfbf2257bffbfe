"""The `DateTime` scalar: Strawberry's own, told to clients in words that they can rely on."""

from datetime import datetime
from operator import methodcaller

import strawberry
from strawberry.federation.schema_directives import Tag

from gateway.schema.federation import SHARED_TAGS

DATE_TIME = strawberry.scalar(
    name="DateTime",
    directives=[Tag(name=tag) for tag in SHARED_TAGS],
    description='Date and time in UTC as RFC 3339 writes them: "2023-03-12T03:07:36+00:00".',
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=methodcaller("isoformat"),
    parse_value=datetime.fromisoformat,
)
