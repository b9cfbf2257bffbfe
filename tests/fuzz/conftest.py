"""The gateway that the fuzz tests of one file share."""

from collections.abc import Iterator

import pytest
from fuzz_target import Target, fuzz_target


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with fuzz_target() as found:
        yield found
