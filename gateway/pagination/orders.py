"""A whole list in any order and under any filter, each computed once for a version of the list."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple

from gateway.pagination.blocks import Block, BlockSource
from gateway.pagination.sorted_lists import OrderedRows, SortedRows, SortKey
from gateway.pagination.store_order import StoreOrderedRows
from gateway.pagination.whole import read_whole
from gateway.row import Row

# Of one list; the least recently used are forgotten. Each takes up to 16 kB.
MAXIMUM_FILTERS: Final = 64


class Order(NamedTuple, Generic[Row]):
    """An order of a list: that of a key, or that of the upstream if `key` is None."""

    key: SortKey[Row] | None
    is_reversed: bool


# Whether a row is kept; equal filters keep the same rows.
Filter = Callable[[Row], bool]


class Kept(NamedTuple, Generic[Row]):
    """The rows of a list in one order, and the places of those that a filter keeps."""

    ordered: OrderedRows[Row]
    places: Sequence[int]


class Orders(Generic[Row]):
    """The orders of one version of a list; a later version replaces them."""

    def __init__(self) -> None:
        # Of each block of the version: its index, its size and its rows.
        self._version: list[tuple[int, int, Sequence[Row | None]]] = []
        self._ordered: dict[Order[Row], OrderedRows[Row]] = {}
        self._kept: OrderedDict[tuple[Order[Row], Filter[Row]], Sequence[int]] = OrderedDict()

    async def read(
        self, source: BlockSource[Row], order: Order[Row], keeps: Filter[Row] | None
    ) -> Kept[Row]:
        """Reads the list whole; returns its rows in an order. Without a filter, all are kept.

        Raises as `read_whole`.
        """
        blocks = await read_whole(source)
        version = [(block.index, block.size, block.rows) for block in blocks]
        if version != self._version:
            self._version = version
            self._ordered.clear()
            self._kept.clear()
        ordered = self._ordered.get(order)
        if ordered is None:
            ordered = self._ordered[order] = _ordered(blocks, source.name, order)
        if keeps is None:
            return Kept(ordered, range(len(ordered.rows)))
        key = (order, keeps)
        places = self._kept.pop(key, None)
        if places is None:
            places = [at for at, row in enumerate(ordered.rows) if keeps(row)]
        self._kept[key] = places
        if len(self._kept) > MAXIMUM_FILTERS:
            self._kept.popitem(last=False)
        return Kept(ordered, places)


def _ordered(blocks: Sequence[Block[Row]], list_name: str, order: Order[Row]) -> OrderedRows[Row]:
    slots: list[Row | None] = []
    for block in blocks:
        slots += [None] * (block.index * block.size - len(slots))
        slots += block.rows
    in_store_order = StoreOrderedRows(slots, list_name, is_reversed=order.is_reversed)
    if order.key is None:
        return in_store_order
    return SortedRows(in_store_order.rows, order.key, list_name, is_reversed=order.is_reversed)
