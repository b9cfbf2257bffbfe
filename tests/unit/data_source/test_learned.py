from gateway.data_source.learned import LEARNED_SECONDS, LOOKUP_IDS, LearnedLimits


def test_limits_start_with_what_the_gateway_would_like_and_start_again_after_a_while() -> None:
    seconds = 100.0
    limits = LearnedLimits(250, lambda: seconds)
    assert (limits.page_size, limits.lookup_ids) == (250, LOOKUP_IDS)
    limits.learn_page_size(150, seconds)
    limits.lookup_ids = 20
    seconds += LEARNED_SECONDS
    assert (limits.page_size, limits.lookup_ids) == (150, 20)
    seconds += 1
    assert (limits.page_size, limits.lookup_ids) == (250, LOOKUP_IDS)
    limits.learn_page_size(150, seconds)
    seconds += LEARNED_SECONDS
    assert limits.page_size == 150


def test_no_more_ids_are_asked_for_than_a_page_gives() -> None:
    limits = LearnedLimits(30, lambda: 0.0)
    assert limits.lookup_ids == 30


def test_page_that_was_asked_for_later_tells_the_size() -> None:
    limits = LearnedLimits(250, lambda: 100.0)
    limits.learn_page_size(100, read_at=50.0)
    limits.learn_page_size(250, read_at=49.0)
    assert limits.page_size == 100
    limits.learn_page_size(50, read_at=50.0)
    assert limits.page_size == 50


def test_nothing_is_forgotten_while_the_upstream_fails() -> None:
    seconds, fails = 100.0, True
    limits = LearnedLimits(250, lambda: seconds, upstream_fails=lambda: fails)
    limits.learn_page_size(100, seconds)
    seconds += LEARNED_SECONDS + 1
    assert limits.page_size == 100
    fails = False
    assert limits.page_size == 250
