"""The items of an input, as its writes see them."""

from collections.abc import Sequence
from typing import TypeVar

from gateway.bigcommerce.models import uuid_in_lower_case
from gateway.data_source.writes.progress import Progress
from gateway.data_source.writes.reasons import invalid
from gateway.user_errors import UserError

Done = TypeVar("Done")


def checked_ids(ids: Sequence[str], progress: Progress[str]) -> dict[int, str]:
    """Returns the uuids in lower case by index; records the texts that are none."""
    checked: dict[int, str] = {}
    for index, text in enumerate(ids):
        if (uuid := uuid_in_lower_case(text)) is None:
            progress.set(index, invalid("The id has to be a uuid."))
        else:
            checked[index] = uuid
    return checked


def written(progress: Progress[Done]) -> list[Done]:
    """Returns the outcomes of items that were written, without those that were left as they are."""
    done: list[Done] = []
    for index in progress.changed:
        outcome = progress.outcomes[index]
        if outcome is not None and not isinstance(outcome, UserError):
            done.append(outcome)
    return done
