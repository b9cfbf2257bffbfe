"""The errors in the answer to a write: which item each is about, as far as the answer says so."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.bigcommerce.models import UUID_DIGITS, uuid_in_lower_case
from gateway.bigcommerce.values import text_of, whole_number_of

# The key of an error: an index in the request, with or without a field: "0", "0.email".
_INDEX = re.compile(r"(\d{1,6})(?:\.(.+))?")
# Of an error's texts, this much is read.
LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class WriteRefusal:
    """Why something was refused: the status, and the texts of one error in lower case.

    The texts are searched and never shown. `field` is the field at fault.
    """

    status: int
    text: str = ""
    field: str | None = None


def read_refusals(
    body: Mapping[str, object], status: int, keys: Sequence[str]
) -> tuple[dict[int, WriteRefusal], WriteRefusal | None]:
    """Returns the errors by index in the request, and the first that names no item, else None.

    `keys` name the items of the request. An error that names exactly one of them by its uuid is
    about that one, whatever its index.
    """
    refusals: dict[int, WriteRefusal] = {}
    whole: WriteRefusal | None = None
    ids = {key: at for at, key in enumerate(keys) if uuid_in_lower_case(key)}
    for key, refusal in _errors_of(body, status):
        named = {ids[one] for one in UUID_DIGITS.findall(refusal.text) if one in ids}
        matched = _INDEX.fullmatch(key)
        if len(named) == 1:
            at = named.pop()
            field = matched[2] if matched else None
        elif matched and int(matched[1]) < len(keys):
            at, field = int(matched[1]), matched[2]
        else:
            whole = whole or WriteRefusal(refusal.status, refusal.text, key or None)
            continue
        refusals.setdefault(at, WriteRefusal(refusal.status, refusal.text, field))
    return refusals, whole


def _errors_of(body: Mapping[str, object], status: int) -> Iterator[tuple[str, WriteRefusal]]:
    """Yields each error with its key, "" without one."""
    errors = body.get("errors")
    if isinstance(errors, list):
        for error in errors:
            if not isinstance(error, dict):
                yield "", WriteRefusal(status, _clipped(_text_in(error)))
                continue
            yield from _errors_in(error, whole_number_of(error.get("status")) or status)
    elif status >= 400:
        yield from _errors_in(body, status)
    elif isinstance(errors, dict):
        yield from _errors_in({"errors": errors}, status)


def _errors_in(error: Mapping[str, object], status: int) -> Iterator[tuple[str, WriteRefusal]]:
    """Yields the errors in one error object: its nested ones, else itself."""
    title = " ".join(_text_in(error.get(name)) for name in ("title", "detail", "message"))
    nested = error.get("errors")
    pairs = list(nested.items()) if isinstance(nested, dict) else []
    if isinstance(nested, list):
        pairs = [("", one) for one in nested]
    for key, value in pairs:
        yield str(key), WriteRefusal(status, _clipped(f"{title} {_text_in(value)}"))
    if not pairs and (title.strip() or status >= 400):
        yield "", WriteRefusal(status, _clipped(title))


def _text_in(value: object) -> str:
    """Returns a text, or the texts in a list or an object."""
    inner: list[object] = [value]
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    return " ".join(text for one in inner if (text := text_of(one)) is not None)


def _clipped(text: str) -> str:
    return " ".join(text.split())[:LONGEST_TEXT].lower()
