"""The lists of one store, each with its recent state."""

from collections import OrderedDict
from typing import Any, cast

from gateway.bigcommerce.operations import Upstream
from gateway.cache.read_through import ReadThroughCache
from gateway.data_source.collection import Collection, Keys
from gateway.data_source.learned import LearnedLimits
from gateway.data_source.list_source import ListSource, Searches
from gateway.row import Row

# Lists whose state is remembered: the least recently read are forgotten.
MAXIMUM_LISTS = 1000


class Lists:
    """The lists of one store, each with its recent state.

    All lists, and the lookups in them, share `upstream`, `cache` and `limits`.
    """

    def __init__(
        self,
        upstream: Upstream,
        cache: ReadThroughCache,
        limits: LearnedLimits,
        *,
        store_hash: str,
        store_key: str,
    ) -> None:
        self.upstream = upstream
        self.cache = cache
        self.limits = limits
        self._store_hash = store_hash
        self._store_key = store_key
        self._far_searches = Searches()
        # Collections of one name have one type of rows.
        self._sources: OrderedDict[str, ListSource[Any]] = OrderedDict()

    def of(self, collection: Collection[Row]) -> "ListSource[Row]":
        """Returns the blocks of a collection."""
        source = cast("ListSource[Row] | None", self._sources.get(collection.name))
        if source is not None:
            self._sources.move_to_end(collection.name)
        else:
            source = self._sources[collection.name] = ListSource(
                collection,
                self.upstream,
                self.cache,
                self.limits,
                self.keys_of(collection),
                None if collection.pool is None else Keys(self._store_key, collection.pool),
                name=self.cursor_name(collection.name),
                far_searches=self._far_searches if collection.maximum_rows is None else None,
            )
            if len(self._sources) > MAXIMUM_LISTS:
                self._sources.popitem(last=False)
        return source

    def cursor_name(self, name: str) -> str:
        """Returns the name in cursors of a list of the store: no other store's list has it."""
        return f"{name} of {self._store_hash}"

    def changed_at(self, collection: str) -> float:
        """Returns the last change of a collection that is known: values read before it are old."""
        source = self._sources.get(collection)
        changed_at = self.cache.freshness.changed_at(collection)
        return changed_at if source is None else max(changed_at, source.invalid_before)

    def keys_of(self, collection: Collection[Row]) -> Keys:
        """Returns the cache keys of a collection."""
        return Keys(self._store_key, collection.name)
