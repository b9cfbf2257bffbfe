from clock import Clock
from in_process import in_process

from gateway.data_source import LOOKUP_IDS, LearnedLimits
from gateway.data_source.learned import LEARNED_SECONDS

LIST, OTHER = "list_segments", "list_segment_shopper_profiles"


def limits_of(clock: Clock) -> LearnedLimits:
    return in_process(1, clock=clock).services.lists.limits


def test_limits_start_with_the_defaults_which_are_tried_again_after_a_while() -> None:
    clock = Clock()
    limits = limits_of(clock)
    assert (limits.page_size(LIST), limits.lookup_ids(LIST)) == (250, LOOKUP_IDS)
    limits.learn_page_size(LIST, 150, clock.now)
    limits.learn_lookup_ids(LIST, 20)
    clock.advance(LEARNED_SECONDS - 1)
    assert (limits.page_size_to_try(LIST), limits.lookup_ids(LIST)) == (150, 20)
    clock.advance(2)
    assert limits.lookup_ids(LIST) == LOOKUP_IDS
    assert [limits.page_size_to_try(LIST) for _ in range(2)] == [250, 150]
    assert limits.page_size(LIST) == 150


def test_limits_of_one_operation_are_not_those_of_another() -> None:
    clock = Clock()
    limits = limits_of(clock)
    limits.learn_page_size(LIST, 50, clock.now)
    limits.learn_lookup_ids(LIST, 20)
    assert (limits.page_size(OTHER), limits.lookup_ids(OTHER)) == (250, LOOKUP_IDS)


def test_no_more_ids_are_asked_for_than_a_page_gives() -> None:
    clock = Clock()
    limits = limits_of(clock)
    limits.learn_page_size(LIST, 30, clock.now)
    assert limits.lookup_ids(LIST) == 30


def test_size_of_the_page_that_was_asked_for_last_counts() -> None:
    clock = Clock()
    limits = limits_of(clock)
    limits.learn_page_size(LIST, 100, read_at=50.0)
    limits.learn_page_size(LIST, 250, read_at=49.0)
    assert limits.page_size(LIST) == 100
    limits.learn_page_size(LIST, 50, read_at=50.0)
    assert limits.page_size(LIST) == 50
