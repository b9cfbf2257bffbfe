"""Documents are parsed and validated once, within bounds."""

from functools import partial

import strawberry
from cachetools import LRUCache

from gateway.schema.documents import (
    CHARACTERS_KEPT,
    Documents,
    _characters,
    _Known,
    document_extensions,
)
from gateway.schema.limits import Limits


@strawberry.type
class Query:
    here: int = 1


def a_schema(characters: int) -> tuple[strawberry.Schema, LRUCache[str, _Known]]:
    known: LRUCache[str, _Known] = LRUCache(characters, getsizeof=_characters)
    return strawberry.Schema(Query, extensions=[partial(Documents, Limits(), known)]), known


async def test_document_is_parsed_and_validated_once() -> None:
    schema, known = a_schema(1000)
    await schema.execute("{ here }", root_value=Query())
    (first,) = known.values()
    errors = first.errors
    assert errors == []
    await schema.execute("{ here }", root_value=Query())
    assert [entry is first and entry.errors is errors for entry in known.values()] == [True]


async def test_invalid_document_is_validated_once_and_refused_each_time() -> None:
    schema, known = a_schema(1000)
    answers = [await schema.execute("{ nope }") for _ in range(2)]
    assert [answer.data for answer in answers] == [None, None]
    (entry,) = known.values()
    assert answers[1].errors == entry.errors


async def test_documents_are_kept_up_to_a_number_of_characters() -> None:
    schema, known = a_schema(100)
    for number in range(20):
        await schema.execute(f"{{ a{number}: here }} ".ljust(40))
    assert len(known) == 2
    assert known.currsize == 80


async def test_document_longer_than_all_that_is_kept_is_answered() -> None:
    schema, known = a_schema(100)
    answer = await schema.execute("{ here }".ljust(101), root_value=Query())
    assert (answer.data, len(known)) == ({"here": 1}, 0)


async def test_document_beyond_a_limit_is_not_kept() -> None:
    schema, known = a_schema(100_000)
    answer = await schema.execute("{ " + " ".join(f"a{n}: here" for n in range(101)) + " }")
    assert answer.errors is not None
    assert len(known) == 0


def test_schemas_of_one_process_do_not_share_what_they_know() -> None:
    (first,), (second,) = document_extensions(Limits()), document_extensions(Limits())
    assert isinstance(first, partial)
    assert isinstance(second, partial)
    assert first.args[1] is not second.args[1]
    assert first.args[1].maxsize == CHARACTERS_KEPT == 200_000
