from gateway.data_source.learned import LEARNED_SECONDS, LOOKUP_IDS, LearnedLimits


def test_limits_start_with_what_the_gateway_would_like_and_start_again_after_a_while() -> None:
    seconds = 100.0
    limits = LearnedLimits(250, lambda: seconds)
    assert (limits.page_size, limits.lookup_ids) == (250, LOOKUP_IDS)
    limits.page_size = 150
    limits.lookup_ids = 20
    seconds += LEARNED_SECONDS
    assert (limits.page_size, limits.lookup_ids) == (150, 20)
    seconds += 1
    assert (limits.page_size, limits.lookup_ids) == (250, LOOKUP_IDS)
    limits.page_size = 150
    seconds += LEARNED_SECONDS
    assert limits.page_size == 150


def test_no_more_ids_are_asked_for_than_a_page_gives() -> None:
    limits = LearnedLimits(30, lambda: 0.0)
    assert limits.lookup_ids == 30
