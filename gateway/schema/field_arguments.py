"""The arguments that several fields have; each can be left out."""

from typing import Annotated, TypeVar

import strawberry
from strawberry import UNSET

from gateway.schema.federation import argument

Argument = TypeVar("Argument")
IdArgument = Annotated[strawberry.ID | None, argument("The global id.")]
FirstArgument = Annotated[
    int | None,
    argument(
        "The number of rows from the start of the list, or after `after`: 0 to 250. "
        "50 if neither `first` nor `last` is given."
    ),
]
LastArgument = Annotated[
    int | None,
    argument(
        "The number of rows from the end of the list, or before `before`: 0 to 250. "
        "With `first`, it counts from the end of the rows of `first`, as Relay specifies."
    ),
]
CursorArgument = Annotated[str | None, argument("A cursor of this connection.")]


def given(value: Argument | None) -> Argument | None:
    """Returns the value of an argument, None also if it was left out."""
    return None if value is UNSET else value
