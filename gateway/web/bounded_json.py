"""Bounds of a request's JSON: its size is checked before decoding, its values before coercion.

Without them, a body of one megabyte holds half a million values, and each use of a variable in the
document costs that many steps.
"""

from gateway.errors import ErrorCode
from gateway.web.request_error import RequestError

# Commas and brackets of a body, those inside of strings included: three for each value that may be
# sent, and the rest for the document. A body with as many is decoded in 10 ms.
MAXIMUM_SEPARATORS = 50_000
MAXIMUM_VALUES = 10_000
MAXIMUM_LIST = 2000
MAXIMUM_STRING = 10_000
MAXIMUM_NESTING = 32


def check_separators(body: bytes) -> None:
    """Raises `RequestError` for JSON that has too many commas and brackets to be decoded."""
    if len(body) > MAXIMUM_SEPARATORS:
        separators = sum(body.count(one) for one in (b",", b"[", b"{"))
        if separators > MAXIMUM_SEPARATORS:
            raise _refusal(f"The body has more than {MAXIMUM_SEPARATORS} commas and brackets")


def check_values(parameter: str, value: object) -> None:
    """Raises `RequestError` unless the decoded JSON of a parameter is within the bounds."""
    level = [value]
    values = 0
    for _nesting in range(MAXIMUM_NESTING + 1):
        below: list[object] = []
        for one in level:
            if isinstance(one, str):
                _check_string(parameter, one)
            elif isinstance(one, list):
                if len(one) > MAXIMUM_LIST:
                    raise _refusal(f"`{parameter}` has a list of more than {MAXIMUM_LIST} values")
                below += one
            elif isinstance(one, dict):
                for name in one:
                    _check_string(parameter, name)
                below += one.values()
            if values + len(below) > MAXIMUM_VALUES:
                raise _refusal(f"`{parameter}` has more than {MAXIMUM_VALUES} values")
        if not below:
            return
        values += len(below)
        level = below
    raise _refusal(f"`{parameter}` has more than {MAXIMUM_NESTING} levels of lists and objects")


def _check_string(parameter: str, text: str) -> None:
    if len(text) > MAXIMUM_STRING:
        raise _refusal(f"`{parameter}` has a string of more than {MAXIMUM_STRING} characters")


def _refusal(sentence: str) -> RequestError:
    return RequestError(
        400, f"{sentence}. Ask for less, or send several requests.", code=ErrorCode.BAD_USER_INPUT
    )
