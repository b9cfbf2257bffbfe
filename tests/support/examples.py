"""How many examples a property is tried with: its own number, scaled by Hypothesis' profile."""

from hypothesis import settings

EXAMPLES_OF_DEFAULT_PROFILE = 100


def examples(number: int) -> int:
    """This many in `make test`, a fifth in `make test-fast`: for `settings(max_examples=…)`."""
    return max(1, number * settings().max_examples // EXAMPLES_OF_DEFAULT_PROFILE)
