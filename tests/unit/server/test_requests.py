"""What the target of a request becomes in its scope, and which targets are remembered."""

import pytest

from gateway.server.requests import SHORT_TARGET_BYTES, remembered, target_parts

PARTS = [
    (b"/graphql", ("/graphql", b"/graphql", b"")),
    (b"/graphql?a=%20&b", ("/graphql", b"/graphql", b"a=%20&b")),
    (b"/a%20b%2F", ("/a b/", b"/a%20b%2F", b"")),
]


@pytest.mark.parametrize(("target", "parts"), PARTS)
def test_target_has_a_path_the_same_as_sent_and_a_query(
    target: bytes, parts: tuple[str, bytes, bytes]
) -> None:
    assert [target_parts(target) for _ in range(2)] == [parts, parts]


def test_only_short_targets_are_remembered() -> None:
    remembered.cache_clear()
    shortest = b"/" * SHORT_TARGET_BYTES
    for target in (shortest, shortest, shortest + b"/"):
        assert target_parts(target)[1] == target
    assert remembered.cache_info()[:2] == (1, 1)
