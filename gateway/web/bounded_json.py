"""Bounds of a request's JSON: its size is checked before decoding, its values before coercion.

Without them, a body of one megabyte holds half a million values, and each use of a variable in the
document costs that many steps.
"""

from collections.abc import Iterable

from gateway.errors import ErrorCode
from gateway.web.request_error import RequestError

# Commas and brackets of a body, those inside of strings included: three for each value that may be
# sent, and the rest for the document. A body with as many is decoded in 10 ms.
MAXIMUM_SEPARATORS = 50_000
MAXIMUM_PARAMETER_VALUES = 10_000
MAXIMUM_LIST = 2000
MAXIMUM_STRING = 10_000
MAXIMUM_NESTING = 32


def check_separators(body: bytes) -> None:
    """Raises `RequestError` for JSON that has too many commas and brackets to be decoded."""
    if len(body) > MAXIMUM_SEPARATORS:
        separators = sum(body.count(one) for one in (b",", b"[", b"{"))
        if separators > MAXIMUM_SEPARATORS:
            raise _refusal(f"The body has more than {MAXIMUM_SEPARATORS} commas and brackets")


def check_values(parameter: str, value: dict[str, object]) -> None:
    """Raises `RequestError` unless the decoded JSON of a parameter is within the bounds."""
    below = _checked(parameter, value.values())
    values = len(value)
    levels = 1
    while below:
        levels += 1
        if levels > MAXIMUM_NESTING:
            what = f"{MAXIMUM_NESTING} levels of lists and objects"
            raise _refusal(f"`{parameter}` has more than {what}")
        level: list[object] = []
        for one in below:
            level += one.values() if isinstance(one, dict) else one
            if values + len(level) > MAXIMUM_PARAMETER_VALUES:
                raise _refusal(f"`{parameter}` has more than {MAXIMUM_PARAMETER_VALUES} values")
        values += len(level)
        below = _checked(parameter, level)


def _checked(parameter: str, values: Iterable[object]) -> list[list[object] | dict[str, object]]:
    """Returns the lists and objects among the values of one level, after checking each value."""
    below: list[list[object] | dict[str, object]] = []
    for one in values:
        if isinstance(one, str):
            if len(one) > MAXIMUM_STRING:
                what = f"a string of more than {MAXIMUM_STRING} characters"
                raise _refusal(f"`{parameter}` has {what}")
        elif isinstance(one, list):
            if len(one) > MAXIMUM_LIST:
                raise _refusal(f"`{parameter}` has a list of more than {MAXIMUM_LIST} values")
            below.append(one)
        elif isinstance(one, dict):
            below.append(one)
    return below


def _refusal(sentence: str) -> RequestError:
    return RequestError(
        400, f"{sentence}. Ask for less, or send several requests.", code=ErrorCode.BAD_USER_INPUT
    )
