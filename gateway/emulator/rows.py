"""The rows of the emulated store as the wire shows them, and tables of them.

Dates are RFC 3339 text, with or without milliseconds.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, overload

import msgspec


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment."""

    id: str
    name: str
    description: str | None
    created_at: str
    updated_at: str


class ShopperProfileRow(msgspec.Struct, frozen=True, gc=False):
    """One shopper profile; the table has it by its id in lower case, and by its customer's id."""

    id: str
    customer_id: int
    created_at: str
    updated_at: str

    @property
    def unique(self) -> tuple[Hashable, ...]:
        """The keys that no other shopper profile has."""
        return self.id.lower(), self.customer_id


class CustomerRow(msgspec.Struct, frozen=True, gc=False):
    """One customer; the table has it by its id, and by its e-mail address in lower case."""

    id: int
    email: str
    first_name: str
    last_name: str
    company: str
    phone: str
    notes: str
    customer_group_id: int
    tax_exempt_category: str
    registration_ip_address: str
    date_created: str
    date_modified: str
    address_count: int
    accepts_product_review_abandoned_cart_emails: bool
    origin_channel_id: int

    @property
    def unique(self) -> tuple[Hashable, ...]:
        """The keys that no other customer has."""
        return self.id, self.email.lower()


class _Keyed(Protocol):
    @property
    def unique(self) -> tuple[Hashable, ...]: ...


KeyedRow = TypeVar("KeyedRow", bound=_Keyed)


class Table(Sequence[KeyedRow], Generic[KeyedRow]):
    """Rows in the order in which they were added, found by any of their keys.

    A page, a lookup and an addition cost the same in a table of any length. The rows are loaded at
    the first use, so that those of a store that is not read cost nothing.
    """

    def __init__(self, load: Callable[[], Iterable[KeyedRow]] = tuple) -> None:
        self._load: Callable[[], Iterable[KeyedRow]] | None = load
        self._rows: list[KeyedRow] = []
        self._by_key: dict[Hashable, KeyedRow] = {}

    def find(self, key: Hashable) -> KeyedRow | None:
        """Returns the row with this key, or None."""
        self._ensure_loaded()
        return self._by_key.get(key)

    def add(self, row: KeyedRow) -> None:
        """Adds a row at the end; raises `ValueError` if a row has one of its keys."""
        self._ensure_loaded()
        if any(key in self._by_key for key in row.unique):
            raise ValueError(f"the table has a row with a key of {row!r}")
        self._rows.append(row)
        self._by_key.update(dict.fromkeys(row.unique, row))

    def remove(self, rows: Collection[KeyedRow]) -> None:
        """Removes rows of the table."""
        self._ensure_loaded()
        gone = {row.unique for row in rows}
        self._rows = [row for row in self._rows if row.unique not in gone]
        for row in rows:
            for key in row.unique:
                del self._by_key[key]

    def __len__(self) -> int:
        self._ensure_loaded()
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> KeyedRow: ...
    @overload
    def __getitem__(self, at: slice) -> list[KeyedRow]: ...
    def __getitem__(self, at: int | slice) -> KeyedRow | list[KeyedRow]:
        self._ensure_loaded()
        return self._rows[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and [*self] == [*other]

    def _ensure_loaded(self) -> None:
        if self._load is not None:
            rows, self._load = self._load(), None
            self._rows = list(rows)
            self._by_key = {key: row for row in self._rows for key in row.unique}


StoredRow = SegmentRow | ShopperProfileRow | CustomerRow
