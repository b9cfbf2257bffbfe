"""`_entities` beside what else a request asks, over the emulator: errors, limits and the pool."""

import asyncio
from copy import deepcopy

import pytest
from in_process import Answer, InProcess, in_process

from gateway.emulator import Fault
from gateway.errors import BadUserInput
from gateway.schema.entities import represented_segment

ENTITIES = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on Segment { entityId } }
}
"""


def ids_of(gateway: InProcess) -> list[str]:
    return [row.id for row in gateway.emulator.store.segments]


def by_entity_id(ids: list[str]) -> list[object]:
    return [{"__typename": "Segment", "entityId": row_id} for row_id in ids]


def error_of(answer: Answer) -> Answer:
    (error,) = answer["errors"]
    assert isinstance(error, dict)
    return error


async def test_more_representations_than_allowed_are_one_error_and_cost_nothing() -> None:
    gateway = in_process(1000)
    ids = ids_of(gateway)
    answer = await gateway.ask(ENTITIES, representations=by_entity_id([*ids, ids[0]]))
    assert answer["data"] is None
    error = error_of(answer)
    assert error["path"] == ["_entities"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"] == (
        "The request asks for more than 1000 entities. Ask for fewer at once, or have "
        "GATEWAY_MAX_REPRESENTATIONS of this subgraph raised."
    )
    assert gateway.upstream_requests == 0


async def test_the_limit_is_the_setting_s_and_for_all_fields_of_a_request() -> None:
    gateway = in_process(10, MAX_REPRESENTATIONS="5")
    query = """
    query ($three: [_Any!]!, $two: [_Any!]!) {
      a: _entities(representations: $three) { __typename }
      b: _entities(representations: $two) { __typename }
    }
    """
    ids = ids_of(gateway)
    data = await gateway.data(query, three=by_entity_id(ids[:3]), two=by_entity_id(ids[:2]))
    assert [len(data[alias]) for alias in ("a", "b")] == [3, 2]
    answer = await gateway.ask(query, three=by_entity_id(ids[:3]), two=by_entity_id(ids[:3]))
    assert "more than 5 entities" in error_of(answer)["message"]


async def test_a_limit_of_none_refuses_every_entity_and_tells_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = in_process(10, MAX_REPRESENTATIONS="0")
    representations = by_entity_id(ids_of(gateway)[:1])
    answer = await gateway.ask(ENTITIES, representations=representations)
    assert "more than 0 entities" in error_of(answer)["message"]
    assert caplog.text.count("GATEWAY_MAX_REPRESENTATIONS") == 1
    fields = " ".join(f"a{n}: _entities(representations: $r) {{ __typename }}" for n in range(9))
    await gateway.ask(f"query ($r: [_Any!]!) {{ {fields} }}", r=representations)
    assert caplog.text.count("GATEWAY_MAX_REPRESENTATIONS") == 2


async def test_representations_do_not_count_as_rows() -> None:
    gateway = in_process(1000, MAX_ROWS_PER_REQUEST="1250")
    data = await gateway.data(ENTITIES, representations=by_entity_id(ids_of(gateway)))
    assert [one["entityId"] for one in data["_entities"]] == ids_of(gateway)


async def test_failure_of_the_upstream_leaves_what_is_known() -> None:
    gateway = in_process(300)
    ids = ids_of(gateway)
    await gateway.page(first=250)
    gateway.emulator.faults.add(Fault.SERVER_ERROR, 1)
    answer = await gateway.ask(ENTITIES, representations=by_entity_id([ids[0], ids[299], ids[1]]))
    assert answer["data"]["_entities"] == [{"entityId": ids[0]}, None, {"entityId": ids[1]}]
    error = error_of(answer)
    assert error["path"] == ["_entities", 1]
    assert error["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"


async def test_one_that_the_upstream_refuses_is_an_error_among_its_siblings() -> None:
    gateway = in_process(120)
    ids = ids_of(gateway)
    gateway.refused_text = ids[60]
    answer = await gateway.ask(ENTITIES, representations=by_entity_id(ids[:100]))
    failed = [error["path"][1] for error in answer["errors"]]
    assert 60 in failed
    assert len(failed) <= 25
    for at, entity in enumerate(answer["data"]["_entities"]):
        assert entity == (None if at in failed else {"entityId": ids[at]})


async def test_two_routers_and_a_client_share_one_lookup() -> None:
    gateway = in_process(120)
    ids = ids_of(gateway)
    await asyncio.gather(
        gateway.data(ENTITIES, representations=by_entity_id(ids[:40])),
        gateway.data(ENTITIES, representations=by_entity_id(ids[20:60])),
        gateway.data("query ($id: ID) { segment(entityId: $id) { name } }", id=ids[70]),
    )
    assert gateway.upstream_requests == 1


async def test_entities_and_the_list_answer_in_one_request() -> None:
    gateway = in_process(120)
    ids = ids_of(gateway)
    data = await gateway.data(
        "query ($r: [_Any!]!) { segments(first: 1) { totalCount nodes { entityId } } "
        "_entities(representations: $r) { __typename ... on Segment { entityId } } "
        "_service { sdl } }",
        r=by_entity_id(ids[:1]),
    )
    assert data["segments"] == {"totalCount": 120, "nodes": [{"entityId": ids[0]}]}
    assert data["_entities"] == [{"__typename": "Segment", "entityId": ids[0]}]
    assert data["_service"]["sdl"].startswith('"""')


@pytest.mark.parametrize(
    ("representations", "message"),
    [
        (None, "Expected value of non-null type '[_Any!]!' not to be null."),
        ([None], "Expected value of non-null type '_Any!' not to be null."),
    ],
)
async def test_null_in_place_of_a_representation_is_told_as_such(
    representations: object, message: str
) -> None:
    answer = await in_process(1).ask(ENTITIES, representations=representations)
    error = error_of(answer)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert message in error["message"]


async def test_one_representation_alone_is_a_list_of_it() -> None:
    gateway = in_process(1)  # GraphQL, 3.11: input coercion of lists
    data = await gateway.data(ENTITIES, representations=by_entity_id(ids_of(gateway))[0])
    assert data == {"_entities": [{"entityId": ids_of(gateway)[0]}]}


def test_a_representation_is_left_as_it_is() -> None:
    representation = {
        "__typename": "Segment",
        "entityId": "1A466884-F3F4-4249-9C28-FF90A5AEC797",
        "more": {"than": ["asked", "for"]},
    }
    kept = deepcopy(representation)
    assert represented_segment(representation) == "1a466884-f3f4-4249-9c28-ff90a5aec797"
    assert representation == kept


@pytest.mark.parametrize("typename", [None, 7, ["Segment"], "segment", "Query", "_Entity"])
def test_what_names_no_entity_is_refused(typename: object) -> None:
    with pytest.raises(BadUserInput, match="names no entity"):
        represented_segment({"__typename": typename, "entityId": "x"})
