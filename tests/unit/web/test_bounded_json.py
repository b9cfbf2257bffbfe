"""Values of a request's JSON are refused beyond their bounds, before anything is done with them."""

import json

import pytest

from gateway.errors import ErrorCode
from gateway.web.bounded_json import (
    MAXIMUM_LIST,
    MAXIMUM_NESTING,
    MAXIMUM_PARAMETER_VALUES,
    MAXIMUM_SEPARATORS,
    MAXIMUM_STRING,
    check_values,
)
from gateway.web.graphql_request import parse_json_body
from gateway.web.request_error import RequestError


def nested(levels: int) -> dict[str, object]:
    value: object = 1
    for level in range(levels - 1):
        value = [value] if level % 2 else {"a": value}
    return {"a": value}


WIDE: dict[str, object] = {str(key): [0] * 999 for key in range(10)}  # 10 000 values

BOUNDS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    f"a list of more than {MAXIMUM_LIST} values": (
        {"a": [0] * MAXIMUM_LIST},
        {"a": [0] * (MAXIMUM_LIST + 1)},
    ),
    f"more than {MAXIMUM_PARAMETER_VALUES} values": (WIDE, {**WIDE, "a": 1}),
    f"a string of more than {MAXIMUM_STRING} characters": (
        {"a": ["a" * MAXIMUM_STRING], "b": "a" * MAXIMUM_STRING},
        {"a": ["a" * (MAXIMUM_STRING + 1)]},
    ),
    f"more than {MAXIMUM_NESTING} levels of lists and objects": (
        nested(MAXIMUM_NESTING),
        nested(MAXIMUM_NESTING + 1),
    ),
}


@pytest.mark.parametrize("sentence", BOUNDS)
def test_value_beyond_a_bound_is_refused_with_the_bound(sentence: str) -> None:
    within, beyond = BOUNDS[sentence]
    check_values("variables", within)
    with pytest.raises(RequestError) as caught:
        check_values("variables", beyond)
    assert caught.value.message == (
        f"`variables` has {sentence}. Ask for less, or send several requests."
    )
    assert (caught.value.status, caught.value.code) == (400, ErrorCode.BAD_USER_INPUT)


@pytest.mark.parametrize("parameter", ["variables", "extensions"])
def test_variables_and_extensions_are_bounded(parameter: str) -> None:
    body = {"query": "{a}", parameter: {"a": [0] * (MAXIMUM_LIST + 1)}}
    with pytest.raises(RequestError, match=f"`{parameter}` has a list of more than 2000 values"):
        parse_json_body(json.dumps(body).encode())


@pytest.mark.parametrize("value", ["[[]],", '{"":0},', "1,"])
def test_body_of_too_many_values_is_not_decoded(value: str) -> None:
    """Also where the values are in no parameter of GraphQL."""
    text = value * (MAXIMUM_SEPARATORS // sum(value.count(one) for one in "[{,") + 1)
    with pytest.raises(RequestError) as caught:
        parse_json_body(f'{{"query":"{{a}}","junk":[{text}0]}}'.encode())
    assert caught.value.message == (
        "The body has more than 50000 commas and brackets. Ask for less, or send several requests."
    )


def test_long_body_of_few_values_is_read() -> None:
    body = b'{"query":"{a}"' + b" " * MAXIMUM_SEPARATORS + b"}"
    assert parse_json_body(body).query == "{a}"


@pytest.mark.parametrize("levels", [600, 975, 5000])
def test_nesting_beside_a_repeated_parameter_is_no_bug(levels: int) -> None:
    value = "[" * levels + "]" * levels
    body = f'{{"query":"{{a}}","query":"{{a}}","variables":{value}}}'.encode()
    with pytest.raises(RequestError) as caught:
        parse_json_body(body)
    assert caught.value.status == 400
