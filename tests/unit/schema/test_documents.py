"""Documents are parsed and validated once, within bounds."""

import pytest
import strawberry
from graphql import GraphQLError, GraphQLSyntaxError

from gateway.schema.documents import CACHED_CHARACTERS, KnownDocuments, document_extensions
from gateway.schema.limits import Limits


@strawberry.type
class Query:
    here: int = 1


def a_schema(characters: int) -> tuple[strawberry.Schema, KnownDocuments]:
    known = KnownDocuments(Limits(), characters)
    return strawberry.Schema(Query, extensions=document_extensions(known)), known


async def test_document_is_parsed_and_validated_once() -> None:
    schema, known = a_schema(1000)
    await schema.execute("{ here }", root_value=Query())
    (first,) = known.cache.values()
    errors = first.errors
    assert errors == []
    await schema.execute("{ here }", root_value=Query())
    assert [entry is first and entry.errors is errors for entry in known.cache.values()] == [True]


async def test_invalid_document_is_validated_once_and_refused_each_time() -> None:
    schema, known = a_schema(1000)
    answers = [await schema.execute("{ nope }") for _ in range(2)]
    assert [answer.data for answer in answers] == [None, None]
    (entry,) = known.cache.values()
    assert answers[1].errors == entry.errors


async def test_documents_are_kept_up_to_a_number_of_characters() -> None:
    schema, known = a_schema(450)
    for number in range(20):
        await schema.execute(f"{{ a{number}: here }} ".ljust(40), root_value=Query())
    assert len(known.cache) == 11
    assert known.cache.currsize == 440


async def test_document_longer_than_all_that_is_kept_is_answered() -> None:
    schema, known = a_schema(100)
    answer = await schema.execute("{ here }".ljust(101), root_value=Query())
    assert (answer.data, len(known.cache)) == ({"here": 1}, 0)


async def test_long_documents_drop_no_others_and_are_parsed_once_a_request() -> None:
    schema, known = a_schema(1000)
    await schema.execute("{ here }", root_value=Query())
    for number in range(20):
        long = f"{{ a{number}: here }}".ljust(101)
        assert not known.knows(long)
        first = known.find(long)
        assert known.find(long) is first
        assert not known.knows(long)
    assert [*known.cache] == ["{ here }"]
    assert known.knows("{ here }")


async def test_document_beyond_a_limit_is_not_kept() -> None:
    schema, known = a_schema(100_000)
    answer = await schema.execute("{ " + " ".join(f"a{n}: here" for n in range(101)) + " }")
    assert answer.errors is not None
    assert len(known.cache) == 0


def test_cache_holds_200_000_characters() -> None:
    assert KnownDocuments(Limits()).cache.maxsize == CACHED_CHARACTERS == 200_000


def test_document_of_too_many_tokens_is_refused_with_the_setting() -> None:
    with pytest.raises(GraphQLSyntaxError) as caught:
        KnownDocuments(Limits(tokens=5)).find("{ here here here here }")
    assert caught.value.message == (
        "The document has more than 5 tokens (GATEWAY_MAX_QUERY_TOKENS). "
        "Ask for less, or send several requests."
    )


@pytest.mark.parametrize(
    ("text", "is_for_routers"),
    [
        ("{ _service { sdl } }", True),
        ("query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }", True),
        ("{ ... on Query { ...F } } fragment F on Query { s: _service { sdl } }", True),
        ("query A { here } query B { here _service { sdl } }", True),
        ("{ here } # _service", False),
        ('{ __type(name: "_service") { name } }', False),
        ("{ _service: here }", False),
        ("query _entities($_service: Int) { here }", False),
        ('{ __type(name: "_Service") { name } }', False),
    ],
)
def test_document_is_for_routers_where_it_selects_their_fields(
    text: str, is_for_routers: bool
) -> None:
    known = KnownDocuments(Limits())
    assert [known.find(text).is_for_routers for _ in range(2)] == [is_for_routers] * 2


def test_document_of_too_many_nested_fragments_is_refused() -> None:
    fragments = "".join(f"fragment F{n} on Q {{ ...F{n + 1} }} " for n in range(2000))
    with pytest.raises(GraphQLError) as caught:
        KnownDocuments(Limits(tokens=100_000)).find("{ ...F0 } " + fragments)
    assert isinstance(caught.value.original_error, RecursionError)
