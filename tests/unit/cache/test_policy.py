import math

import pytest

from gateway.cache.policy import CachePolicy, Freshness

FRESH, REVALIDATE = Freshness.FRESH, Freshness.STALE_WHILE_REVALIDATE
IF_ERROR, EXPIRED = Freshness.STALE_IF_ERROR, Freshness.EXPIRED


@pytest.mark.parametrize(
    ("age", "freshness", "if_not_revalidated"),
    [
        (-15.1, EXPIRED, EXPIRED),
        (-15, FRESH, FRESH),
        (14.9, FRESH, FRESH),
        (15, REVALIDATE, IF_ERROR),
        (74.9, REVALIDATE, IF_ERROR),
        (75, IF_ERROR, IF_ERROR),
        (614.9, IF_ERROR, IF_ERROR),
        (615, EXPIRED, EXPIRED),
        (math.inf, EXPIRED, EXPIRED),
        (-math.inf, EXPIRED, EXPIRED),
        (math.nan, EXPIRED, EXPIRED),
    ],
)
def test_freshness_of_a_value_ends_in_steps(
    age: float, freshness: Freshness, if_not_revalidated: Freshness
) -> None:
    policy = CachePolicy(15.0, 60.0, 600.0)
    assert policy.freshness_at(age) is freshness
    assert policy.freshness_at(age, may_revalidate=False) is if_not_revalidated


@pytest.mark.parametrize(
    ("policy", "max_age"),
    [
        (CachePolicy(15.0, 60.0, 600.0), 615.0),
        (CachePolicy(15.0, 60.0), 75.0),
        (CachePolicy(15.0), 15.0),
        (CachePolicy(0.0, 60.0, 600.0), 0.0),
    ],
)
def test_max_age_is_that_of_the_longest_time(policy: CachePolicy, max_age: float) -> None:
    assert policy.max_age == max_age
    assert policy.freshness_at(max_age) is EXPIRED


def test_ttl_of_zero_turns_the_cache_off() -> None:
    assert CachePolicy(0.0, 60.0, 600.0).freshness_at(0.0) is EXPIRED
