"""Any list of representations: as many answers in their order, and an error where one is wrong."""

from base64 import b64decode, b64encode

from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import Answer, in_process

from examples import examples
from gateway.emulator import seeded_store

ENTITIES = """
query ($all: [_Any!]!) { _entities(representations: $all) { ... on Segment { entityId } } }
"""
PRESENT = [row.id for row in seeded_store(40).segments]

uuids = st.one_of(st.sampled_from(PRESENT), st.uuids().map(str))
written = st.tuples(uuids, st.booleans()).map(lambda one: one[0].upper() if one[1] else one[0])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def global_id(uuid: str) -> str:
    return b64encode(f"Segment:{uuid}".encode()).decode()


right = st.one_of(
    written.map(lambda uuid: {"__typename": "Segment", "entityId": uuid}),
    written.map(lambda uuid: {"__typename": "Segment", "id": global_id(uuid), "more": uuid}),
    written.map(
        lambda uuid: {"__typename": "Segment", "id": global_id(uuid), "entityId": uuid.lower()}
    ),
)
wrong = st.one_of(
    json_values.filter(lambda value: value is not None),
    st.fixed_dictionaries({"__typename": st.text(max_size=8), "entityId": written}),
    st.fixed_dictionaries({"__typename": st.just("Segment"), "entityId": json_values}),
    st.fixed_dictionaries({"__typename": st.just("Segment"), "id": json_values}),
    st.builds(
        lambda one, other: {"__typename": "Segment", "id": global_id(one), "entityId": other},
        uuids,
        st.uuids().map(str),
    ),
)


async def ask(representations: list[object]) -> tuple[list[Answer | None], dict[int, Answer]]:
    """Returns the entities, and what was wrong by index."""
    answer = await in_process(40).ask(ENTITIES, all=representations)
    errors = {}
    for error in answer.get("errors", ()):
        field, at = error["path"]
        assert field == "_entities"
        errors[at] = error
    return answer["data"]["_entities"], errors


@settings(max_examples=examples(80))
@given(st.lists(right.map(lambda one: (one, True)) | wrong.map(lambda one: (one, False))))
async def test_each_representation_gets_its_own_answer(
    drawn: list[tuple[dict[str, str], bool]],
) -> None:
    entities, errors = await ask([representation for representation, _ in drawn])
    assert len(entities) == len(drawn)
    for at, (representation, is_right) in enumerate(drawn):
        entity = entities[at]
        assert (at in errors) is not is_right
        if not is_right:
            assert entity is None
            continue
        text = representation.get("entityId") or b64decode(representation["id"]).decode()[8:]
        uuid = text.lower()
        assert entity == ({"entityId": uuid} if uuid in PRESENT else None)
