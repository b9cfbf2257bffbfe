"""Long executions run in pieces, and give the answers that short ones give."""

import asyncio
from typing import Any

import pytest
import strawberry
from in_process import InProcess, in_process

from gateway.identity import ALL_SCOPES, Client
from gateway.schema import Context, pieces
from gateway.schema.pieces import Execution

ROW = "id entityId name description createdAt updatedAt"
LONG = " ".join(
    f"a{n}: segments(first: 250) {{ edges {{ cursor node {{ {ROW} }} }} }}" for n in range(4)
)


@pytest.fixture
def pieces_of_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "SECONDS_OF_A_PIECE", -1.0)


async def iterations_during(gateway: InProcess, query: str) -> tuple[Any, int]:
    """Returns the data of an answer, and how often the event loop had other turns meanwhile."""
    await gateway.data("{ segments { totalCount } }")
    asking = asyncio.ensure_future(gateway.data(query))
    iterations = 0
    while not asking.done():
        await asyncio.sleep(0)
        iterations += 1
    return await asking, iterations


@pytest.mark.usefixtures("pieces_of_one_row")
async def test_long_execution_gives_others_their_turns() -> None:
    data, iterations = await iterations_during(in_process(250), f"{{ {LONG} }}")
    assert iterations >= 4 * 250
    assert {len(page["edges"]) for page in data.values()} == {250}


@pytest.mark.usefixtures("pieces_of_one_row")
async def test_short_execution_takes_no_turns() -> None:
    _, iterations = await iterations_during(
        in_process(50), f"{{ segments(first: 50) {{ nodes {{ {ROW} }} }} }}"
    )
    assert iterations < 50


async def test_answer_in_pieces_is_the_answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = in_process(300)
    query = f"query($i: [ID!]!) {{ {LONG} b: nodes(ids: $i) {{ id }} c: segment {{ id }} }}"
    at_once = []
    for values in (10**6, 0):
        monkeypatch.setattr(pieces, "LONG", values)
        at_once.append(await gateway.ask(query, i=["bad", "bad"]))
    for answer in at_once:
        answer["errors"].sort(key=str)
        answer.pop("extensions")
    assert at_once[0] == at_once[1]
    assert len(at_once[0]["errors"]) == 3


@strawberry.type
class Inner:
    number: int

    @strawberry.field
    async def later(self) -> int:
        await asyncio.sleep(0)
        return self.number

    @strawberry.field
    def failing(self) -> int:
        if self.number == 2:
            raise ValueError("second")
        return self.number

    @strawberry.field
    def names(self) -> list[str]:
        return ["a", "b"]


@strawberry.type
class Query:
    @strawberry.field
    def rows(self) -> list[Inner]:
        return [Inner(number=number) for number in range(3)]


async def execute(query: str) -> Any:
    context = Context(
        Client("a", ALL_SCOPES),
        None,  # type: ignore[arg-type] # the fields of this schema read nothing
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        "",
        rows_allowed=1,
        representations_allowed=1,
        lists_allowed=0,
        values=10**6,
    )
    schema = strawberry.Schema(Query, execution_context_class=Execution)
    return await schema.execute(query, context_value=context)


async def test_fields_of_rows_that_take_time_are_awaited_together() -> None:
    result = await execute("{ rows { later names } }")
    assert result.errors is None
    assert result.data == {"rows": [{"later": n, "names": ["a", "b"]} for n in range(3)]}


async def test_failing_row_that_must_not_be_null_fails_its_list() -> None:
    result = await execute("{ rows { later failing } }")
    assert result.data is None
    assert [error.path for error in result.errors] == [["rows", 2, "failing"]]
