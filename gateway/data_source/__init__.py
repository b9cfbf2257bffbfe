"""Collections of the upstream, read through the cache: lists in blocks, and rows by id.

`collection` names one list upstream, `codec` its bytes in Redis. `lists` has the lists of a store,
of which `list_source` reads one in blocks. `lookups` reads rows by id: `batcher` gathers ids,
`by_id` asks for a batch, `whole_list` reads the list where that costs less, and `complete_list` has
all of its rows. `customers` looks customers up, by e-mail address, too. `learned` remembers the
upstream's limits. `writes` has the writes.
"""

from gateway.data_source.batcher import LOOKUP_IDS
from gateway.data_source.codec import Codec
from gateway.data_source.collection import (
    ALL_SEGMENTS,
    ALL_SHOPPER_PROFILES,
    CUSTOMERS,
    MAXIMUM_SEGMENTS,
    Collection,
    members_of,
    segments_of,
)
from gateway.data_source.customers import Customers
from gateway.data_source.learned import LearnedLimits
from gateway.data_source.list_source import ListSource
from gateway.data_source.lists import Lists
from gateway.data_source.lookups import Lookups

__all__ = [
    "ALL_SEGMENTS",
    "ALL_SHOPPER_PROFILES",
    "CUSTOMERS",
    "LOOKUP_IDS",
    "MAXIMUM_SEGMENTS",
    "Codec",
    "Collection",
    "Customers",
    "LearnedLimits",
    "ListSource",
    "Lists",
    "Lookups",
    "members_of",
    "segments_of",
]
