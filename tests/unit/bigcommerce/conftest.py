"""Retries as in the product, but without a backoff."""

from collections.abc import Iterator

import pytest
import stamina

from gateway.bigcommerce.operations import ATTEMPTS


@pytest.fixture(autouse=True)
def retries() -> Iterator[None]:
    """Lets operations be tried as often as in the product."""
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield
