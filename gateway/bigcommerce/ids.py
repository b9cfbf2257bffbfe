"""The ids that a request may name: at least one, and nothing but uuids.

Without ids, BigCommerce's DELETE deletes every row of the store. So a DELETE takes only `Ids`.
"""

from collections.abc import Iterable
from typing import Self

from gateway.bigcommerce.models import uuid_in_lower_case


class Ids(tuple[str, ...]):
    """One or more uuids in lower case; raises `ValueError` for none, and for anything else."""

    __slots__ = ()

    def __new__(cls, ids: Iterable[str]) -> Self:
        """Checks each id."""
        if isinstance(ids, str):
            raise ValueError("Ids are several texts, not one.")
        checked = tuple(map(_uuid, ids))
        if not checked:
            raise ValueError("A request for rows by id needs an id.")
        return super().__new__(cls, checked)

    def __str__(self) -> str:
        """Returns the value of `id:in`."""
        return ",".join(self)


def _uuid(text: object) -> str:
    row_id = uuid_in_lower_case(text) if isinstance(text, str) else None
    if row_id is None:
        raise ValueError("An id has to be a uuid.")
    return row_id
