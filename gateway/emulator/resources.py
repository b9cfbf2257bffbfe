"""The common parts of all operations of the emulated API: route, scopes, answer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import QueryParams
from starlette.responses import Response

from gateway.emulator.faults import Fault
from gateway.emulator.paging import PageRules
from gateway.emulator.store import Store

TokenScope = Literal["store_v2_customers", "store_v2_customers_read_only"]
MODIFY: frozenset[TokenScope] = frozenset({"store_v2_customers"})
READ: frozenset[TokenScope] = MODIFY | {"store_v2_customers_read_only"}


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """One request that passed the checks of token, quota and scope.

    `path` has the ids in the path, `fault` the fault of the answer's body.
    """

    store: Store
    path: Mapping[str, str]
    query: QueryParams
    rules: PageRules
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `path` follows `/stores/{store_hash}/v3`, any one of `scopes` allows it.

    `answer` raises `ListRefused` for an invalid query.
    """

    name: str
    method: str
    path: str
    scopes: frozenset[TokenScope]
    answer: Callable[[StoreRequest], Response]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Returns the ids in a path, with the store's hash, or None for another operation."""
        if method != self.method:
            return None
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", "/stores/{store_hash}/v3" + self.path)
        found = re.fullmatch(f"{pattern}/?", path)
        return None if found is None else found.groupdict()
