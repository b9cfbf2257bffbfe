"""The common parts of all operations of the emulated API: route, scopes, answer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import QueryParams
from starlette.responses import Response

from gateway.emulator.faults import Fault
from gateway.emulator.operation_names import OperationName
from gateway.emulator.paging import PageRules
from gateway.emulator.store import Store

Dialect = Literal["2025", "2026"]
ProfileSegmentRows = Literal["segments", "ids"]
TokenScope = Literal["store_v2_customers", "store_v2_customers_read_only"]
MODIFY: frozenset[TokenScope] = frozenset({"store_v2_customers"})
READ: frozenset[TokenScope] = MODIFY | {"store_v2_customers_read_only"}


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """One request that passed the checks of token, quota and scope.

    `path` has the ids in the path, `fault` the fault of the answer's body. `max_batch` is the
    largest number of items of a write, None for any number.
    """

    store: Store
    path: Mapping[str, str]
    query: QueryParams
    body: bytes
    rules: PageRules
    dialect: Dialect
    max_batch: int | None
    profile_segment_rows: ProfileSegmentRows
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `path` follows `/stores/{store_hash}/v3`, any one of `scopes` allows it.

    `answer` raises `ListRefused` for an invalid query, and `BatchRefused` for a batch of which
    nothing is carried out. Operations with a bounded concurrency are in flight together at most 10
    times.
    """

    name: OperationName
    method: str
    path: str
    scopes: frozenset[TokenScope]
    answer: Callable[[StoreRequest], Response]
    has_bounded_concurrency: bool = False

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Returns the ids in a path, with the store's hash, or None for another operation."""
        if method != self.method:
            return None
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", "/stores/{store_hash}/v3" + self.path)
        found = re.fullmatch(f"{pattern}/?", path)
        return None if found is None else found.groupdict()
