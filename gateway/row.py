"""A row: the element of every list, of which the lower layers know only its id."""

from typing import Protocol, TypeVar


class Identified(Protocol):
    """A row of a list: its `id` is unique in the list."""

    @property
    def id(self) -> str:
        """The row's id; a uuid is in lower case."""


Row = TypeVar("Row", bound=Identified)
