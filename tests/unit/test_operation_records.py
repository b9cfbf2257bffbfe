"""What is reported of an operation: its name, and how its values were read."""

import pytest

from gateway.instrumentation import CacheResult, NamedOperation
from gateway.request_scope import RequestScope
from gateway.schema.documents import KnownDocuments
from gateway.schema.limits import Limits


@pytest.mark.parametrize(
    ("begun", "joined", "is_stale", "result"),
    [
        (1, 1, True, CacheResult.MISS),
        (0, 1, True, CacheResult.COALESCED),
        (0, 0, True, CacheResult.STALE),
        (0, 0, False, CacheResult.HIT),
    ],
)
def test_answer_was_read_as_the_slowest_of_its_values(
    begun: int, joined: int, is_stale: bool, result: CacheResult
) -> None:
    scope = RequestScope(10, 0, oldest_read_at=1, is_stale=is_stale)
    scope.fills_begun, scope.fills_joined = begun, joined
    assert scope.cache_result is result


def test_answer_without_a_value_was_not_read() -> None:
    assert RequestScope(10, 0).cache_result is None


@pytest.mark.parametrize(("length", "kept"), [(100, 100), (101, 100)])
def test_long_name_of_an_operation_is_cut(length: int, kept: int) -> None:
    documents = KnownDocuments(Limits(1000, 10, 10))
    documents.find(text := f"query {'a' * length} {{ __typename }}")
    assert documents.operation(text, None) == NamedOperation("a" * kept)
