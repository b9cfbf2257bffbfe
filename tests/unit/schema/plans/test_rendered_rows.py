"""The JSON of rows: made once, counted to the byte, bounded; and what fits no selection."""

from dataclasses import dataclass, replace

import pytest
import strawberry
from graphql import GraphQLObjectType

from gateway.schema.plans.inputs import NotPlanned
from gateway.schema.plans.selections import OVERHEAD_BYTES, Leaf, RenderedRows, RowSelection


@dataclass(frozen=True)
class Row:
    id: str
    name: str | None = "n"
    size: int | None = None


@strawberry.type
class Other:
    id: str


@strawberry.type
class Shown:
    id: str
    name: str
    size: int | None
    other: Other | None = None

    @strawberry.field
    def resolved(self) -> str:
        return "r"


@strawberry.type
class Query:
    shown: Shown


SHOWN = strawberry.Schema(Query)._schema.type_map["Shown"]
assert isinstance(SHOWN, GraphQLObjectType)
TYPE: GraphQLObjectType = SHOWN
ID = [Leaf("id", "id")]
A, B, C = Row("a"), Row("b"), Row("c")
# What each of them takes: {"id":"a"}
EACH = 10 + OVERHEAD_BYTES


class Shower:
    """Makes rows objects, and counts how often."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, row: Row) -> Shown:
        self.shown.append(row.id)
        return Shown(id=row.id, name=row.name, size=row.size)  # type: ignore[arg-type] # as odd


def selection_of(
    memory: RenderedRows, *leaves: Leaf, show: Shower | None = None
) -> RowSelection[Row]:
    return memory.selection(TYPE, leaves, show or Shower())


def test_row_has_the_keys_of_its_selection_in_their_order() -> None:
    leaves = Leaf("size", "size"), Leaf("t", None), Leaf("é", "name"), Leaf("id", "id")
    (json,) = selection_of(RenderedRows(), *leaves).render([Row("a", 'x"\u2028', 5)])
    assert json == '{"size":5,"t":"Shown","é":"x\\"\u2028","id":"a"}'.encode()


def test_row_that_does_not_exist_is_null() -> None:
    selection = selection_of(RenderedRows(), *ID)
    assert selection.render_one(None) == b"null"
    assert selection.render_one(A) == b'{"id":"a"}'


def test_null_in_place_of_a_nullable_value() -> None:
    assert selection_of(RenderedRows(), Leaf("size", "size")).render_one(A) == b'{"size":null}'


def test_null_in_place_of_a_required_value_has_no_plan_and_is_not_kept() -> None:
    memory = RenderedRows()
    selection = selection_of(memory, Leaf("name", "name"))
    with pytest.raises(NotPlanned):
        selection.render([A, Row("b", None)])
    assert memory.bytes == 9 + 3 + OVERHEAD_BYTES - 0


def test_field_that_is_an_object_has_no_plan() -> None:
    with pytest.raises(NotPlanned):
        selection_of(RenderedRows(), Leaf("other", "other"))


def test_rows_are_rendered_once() -> None:
    show = Shower()
    selection = selection_of(RenderedRows(), *ID, show=show)
    assert selection.render([A, B]) == selection.render([A, B]) == [b'{"id":"a"}', b'{"id":"b"}']
    assert selection.render_one(B) == b'{"id":"b"}'
    assert show.shown == ["a", "b"]


def test_equal_row_that_was_read_again_is_not_rendered_again() -> None:
    show, memory = Shower(), RenderedRows()
    selection = selection_of(memory, *ID, show=show)
    selection.render([A])
    again = replace(A)
    assert again is not A
    assert [selection.render([again]), selection.render([again])] == [[b'{"id":"a"}']] * 2
    assert selection.render_one(replace(A)) == b'{"id":"a"}'
    assert (show.shown, memory.bytes) == (["a"], EACH)


def test_row_that_has_changed_is_rendered_again_in_place_of_the_earlier_one() -> None:
    show, memory = Shower(), RenderedRows()
    selection = selection_of(memory, Leaf("name", "name"), show=show)
    assert selection.render([A]) == [b'{"name":"n"}']
    assert selection.render([replace(A, name="longer")]) == [b'{"name":"longer"}']
    assert memory.bytes == 17 + OVERHEAD_BYTES
    assert selection.render([A]) == [b'{"name":"n"}']
    assert (show.shown, memory.bytes) == (["a", "a", "a"], 12 + OVERHEAD_BYTES)


def test_selections_of_equal_keys_and_fields_are_shared() -> None:
    memory, show = RenderedRows(), Shower()
    selection = selection_of(memory, *ID, show=show)
    assert selection_of(memory, *ID, show=show) is selection
    assert selection_of(memory, *ID, show=Shower()) is not selection
    assert selection_of(memory, Leaf("x", "id"), show=show) is not selection
    assert selection_of(memory, Leaf("id", None), show=show) is not selection
    assert selection_of(memory, *ID, Leaf("name", "name"), show=show) is not selection


def test_selection_whose_rows_were_all_there_for_longest_forgets_them() -> None:
    show, memory = Shower(), RenderedRows(3 * (EACH + 10))
    first = selection_of(memory, Leaf("f1", "id"), show=show)
    second = selection_of(memory, Leaf("f2", "id"), show=show)
    first.render([A])
    second.render([A])
    first.render([B])
    assert memory.bytes == 3 * EACH
    second.render([A])  # a use alone does not count
    first.render([C])
    assert memory.bytes == 3 * EACH
    assert show.shown == ["a", "a", "b", "c"]
    first.render([A, B, C])
    assert show.shown == ["a", "a", "b", "c"]
    second.render([A])
    assert (show.shown[4:], memory.bytes) == (["a"], EACH)
    first.render([C])
    assert (show.shown[5:], memory.bytes) == (["c"], 2 * EACH)


def test_rows_beyond_the_memory_are_rendered_and_forgotten() -> None:
    memory = RenderedRows(EACH - 1)
    selection = selection_of(memory, *ID)
    assert selection.render([A, B, A]) == [b'{"id":"a"}', b'{"id":"b"}', b'{"id":"a"}']
    assert memory.bytes == 0


def test_row_of_a_selection_that_forgets_while_it_renders_is_counted_once() -> None:
    memory = RenderedRows(2 * EACH)
    selection = selection_of(memory, *ID)
    assert selection.render([A, B, C]) == [b'{"id":"a"}', b'{"id":"b"}', b'{"id":"c"}']
    assert memory.bytes == 0
    selection.render([A])
    assert memory.bytes == EACH


def test_rows_of_a_selection_that_no_plan_has_any_more_still_count() -> None:
    memory = RenderedRows(2 * EACH)
    selection_of(memory, *ID).render([A])
    assert memory.bytes == EACH
    other = selection_of(memory, *ID)
    other.render([A, B])
    assert memory.bytes == 2 * EACH
    other.render([C])
    assert memory.bytes == 0
