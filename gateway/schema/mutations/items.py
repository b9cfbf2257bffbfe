"""The items of an input: each is checked by itself, and those that are valid are carried out."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from gateway.data_source.writes.reasons import invalid
from gateway.errors import BadUserInput
from gateway.schema.mutations.user_errors import INPUT, ItemError, Path, item_error, path_to
from gateway.user_errors import UserError

Asked = TypeVar("Asked")
Value = TypeVar("Value")
Done = TypeVar("Done")

# What the engine of writes calls the segment that all items are put into, or taken out of.
SEGMENT: Final = "segment"
# What it calls the id of an item.
ID: Final = "id"

# Carries values out; returns what was done or an error for each, in their order.
WriteItems = Callable[[Sequence[Value]], Awaitable[Sequence[Done | UserError]]]


@dataclass(frozen=True, slots=True)
class InputItem(Generic[Value]):
    """An item of an input: its path, and its value or why it is not carried out.

    `id_field` is the field of the item that has its id.
    """

    path: Path
    value: Value | UserError
    id_field: str = ID


@dataclass(frozen=True, slots=True)
class WriteOutcome(Generic[Done]):
    """The rows of what was carried out, and the errors of the rest, both in the input's order."""

    rows: list[Done]
    errors: list[ItemError]


async def carry_out(
    items: Sequence[InputItem[Value]], write: WriteItems[Value, Done], segment_field: str = SEGMENT
) -> WriteOutcome[Done]:
    """Carries out the items that are valid; without any, nothing is sent.

    An error of the segment that all items have in common is reported once, at `segment_field` of
    the input. Raises the errors of `write`.
    """
    valid = [item.value for item in items if not isinstance(item.value, UserError)]
    written = iter(await write(valid) if valid else ())
    rows: list[Done] = []
    errors: list[ItemError] = []
    for item in items:
        found = item.value if isinstance(item.value, UserError) else next(written)
        if isinstance(found, UserError) and found.field == SEGMENT:
            of_segment = item_error((INPUT, segment_field), found, None)
            if of_segment not in errors:
                errors.append(of_segment)
        elif isinstance(found, UserError):
            field = item.id_field if found.field == ID else found.field
            errors.append(item_error(item.path, found, field))
        else:
            rows.append(found)
    return WriteOutcome(rows, errors)


def without_repeats(items: Iterable[InputItem[Value]]) -> list[InputItem[Value]]:
    """Returns the items without those whose value an earlier one has: it is carried out once."""
    seen: set[Value] = set()
    kept = []
    for item in items:
        if not isinstance(item.value, UserError):
            if item.value in seen:
                continue
            seen.add(item.value)
        kept.append(item)
    return kept


def checked(
    check: Callable[[Asked], Value], asked: Asked, field: str | None = None
) -> Value | UserError:
    """Returns the id that a check accepts, or the item's error."""
    try:
        return check(asked)
    except BadUserInput as error:
        return invalid(error.message, field)


def checked_items(
    field: str, check: Callable[[Asked], Value], asked: Sequence[Asked]
) -> list[InputItem[Value]]:
    """Returns the items of a list of ids, each with its id or the error of its check."""
    return [
        InputItem(path_to(field, index), checked(check, one)) for index, one in enumerate(asked)
    ]
