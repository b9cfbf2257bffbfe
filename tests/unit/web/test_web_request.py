import msgspec
import pytest
from starlette.datastructures import QueryParams

from gateway.web.graphql_request import (
    MAXIMUM_DOCUMENT_LENGTH,
    GraphQLRequest,
    parse_json_body,
    parse_query_string,
)
from gateway.web.request_error import RequestError


def test_json_body_is_read_whole() -> None:
    body = (
        b'{"query":"{a}","operationName":"Q","variables":{"n":1},"extensions":{"x":[]},"other":1}'
    )
    assert parse_json_body(body) == GraphQLRequest("{a}", "Q", {"n": 1}, {"x": []})


@pytest.mark.parametrize("value", [b"null", b'""'])
def test_empty_operation_name_is_no_operation_name(value: bytes) -> None:
    assert parse_json_body(b'{"query":"{a}","operationName":' + value + b"}") == GraphQLRequest(
        "{a}"
    )


def test_byte_order_mark_before_json_is_ignored() -> None:
    """RFC 8259, 8.1."""
    body = '\ufeff{"query":"{a}","variables":{"query":"\ufeff"}}'.encode()
    assert parse_json_body(body) == GraphQLRequest("{a}", None, {"query": "\ufeff"})
    parameters = QueryParams("query=%7Ba%7D&variables=%EF%BB%BF%7B%7D&extensions=%EF%BB%BF%7B%7D")
    assert parse_query_string(parameters) == GraphQLRequest("{a}")


def test_null_parameters_count_as_not_given() -> None:
    body = b'{"query":"{a}","variables":null,"extensions":null}'
    assert parse_json_body(body) == GraphQLRequest("{a}")


NOT_JSON = "The body is not valid JSON in UTF-8."
NOT_AN_OBJECT = 'The body has to be a JSON object such as {"query": "…"}.'
NO_QUERY = "`query` is missing: send the GraphQL document as a string in the body."
NO_QUERY_IN_URL = "`query` is missing: send the GraphQL document as a string in the URL."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", NOT_JSON),
        (b'{"query":', NOT_JSON),
        (b'{"query":"{a}"}{}', NOT_JSON),
        (b'{"query":"\xff"}', NOT_JSON),
        (b'{"query":"\\ud800"}', NOT_JSON),
        (b'\xef\xbb\xbf\xef\xbb\xbf{"query":"{a}"}', NOT_JSON),
        (b'{"query":"{a}","variables":{"n":NaN}}', NOT_JSON),
        (b'{"query":"{a}","variables":{"n":1e999}}', NOT_JSON),
        (b'{"query":"{a}","variables":{"n":1' + b"0" * 5000 + b"}}", NOT_JSON),
        (b"[" * 50_000, NOT_JSON),
        (b"null", NOT_AN_OBJECT),
        (b"5", NOT_AN_OBJECT),
        (b'"x"', NOT_AN_OBJECT),
        (b"{}", NO_QUERY),
        (b'{"query":null}', NO_QUERY),
        (b'{"query":" \\n"}', NO_QUERY),
        (b'{"query":["{a}"]}', NO_QUERY),
        (b'{"query":"{a}","operationName":7}', "`operationName` has to be a string."),
        (b'{"query":"{a}","variables":[7]}', "`variables` has to be a JSON object."),
        (b'{"query":"{a}","variables":"{}"}', "`variables` has to be a JSON object."),
        (b'{"query":"{a}","extensions":false}', "`extensions` has to be a JSON object."),
        (
            b'{"query":"{a}","query":"{b}"}',
            "`query` stands 2 times in the request: send it once.",
        ),
        (
            b'{"query":"{a}","variables":{},"v\\u0061riables":{"n":1}}',
            "`variables` stands 2 times in the request: send it once.",
        ),
    ],
    ids=range(23),
)
def test_body_that_is_no_graphql_request_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_json_body(body)
    assert (caught.value.status, caught.value.message) == (400, message)


def test_document_over_100_000_characters_is_refused() -> None:
    longest = "{a}".ljust(MAXIMUM_DOCUMENT_LENGTH)
    assert parse_json_body(msgspec.json.encode({"query": longest})).query == longest
    with pytest.raises(RequestError) as caught:
        parse_json_body(msgspec.json.encode({"query": longest + " "}))
    assert (caught.value.status, caught.value.message) == (
        400,
        "The document is longer than 100000 characters: split it.",
    )


def test_names_of_parameters_may_appear_inside_values() -> None:
    body = b'{"query":"{a(x:\\"query\\")}","variables":{"query":"query"}}'
    assert parse_json_body(body).variables == {"query": "query"}


@pytest.mark.parametrize("body", [b"[]", b'[{"query":"{a}"}]'])
def test_batch_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        parse_json_body(body)
    assert caught.value.status == 400
    assert caught.value.message.startswith("Batches are not offered.")


def test_query_string_is_read_whole() -> None:
    parameters = QueryParams("query=%7Ba%7D&operationName=Q&variables=%7B%22n%22%3A1%7D&extensions")
    assert parse_query_string(parameters) == GraphQLRequest("{a}", "Q", {"n": 1})


def test_null_in_a_query_string_is_json_only_in_variables() -> None:
    parameters = QueryParams("query=%7Ba%7D&operationName=null&variables=null")
    assert parse_query_string(parameters) == GraphQLRequest("{a}", "null")


def test_empty_parameters_of_a_query_string_count_as_not_given() -> None:
    parameters = QueryParams("query=%7Ba%7D&operationName=&variables=&extensions=")
    assert parse_query_string(parameters) == GraphQLRequest("{a}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", NO_QUERY_IN_URL),
        ("query=", NO_QUERY_IN_URL),
        ("query=%7Ba%7D&variables=x", "`variables` in the URL has to be a JSON object."),
        ("query=%7Ba%7D&extensions=%5B%5D", "`extensions` has to be a JSON object."),
        (
            "query=%7Ba%7D&query=%7Bb%7D",
            "`query` stands 2 times in the request: send it once.",
        ),
    ],
)
def test_query_string_that_is_no_graphql_request_is_refused(text: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_query_string(QueryParams(text))
    assert (caught.value.status, caught.value.message) == (400, message)
