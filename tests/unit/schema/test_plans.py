import gc

import pytest
from cache_counts import total_of
from clock import Clock
from graphql import Source
from in_process import InProcess, in_process

from gateway.schema import Graph
from gateway.schema.plans.plan import Plan
from gateway.schema.plans.plans import MAXIMUM_CHARACTERS, MAXIMUM_PLANS, Conditions, PlanMemory
from gateway.web.front import Front

FRESH, TTL = 5.0, 15.0
CUSTOMER = "Q3VzdG9tZXI6Nw=="
ABSENT = "1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def gateway(clock: Clock) -> InProcess:
    """A gateway whose list of 600 rows is in its memory; no whole answers are kept."""
    found = in_process(600, clock=clock, RESPONSE_CACHE_MAX_BYTES="0")
    await found.page(first=250)
    await found.page(last=250)
    await found.page(last=250, before=(await found.page(last=120))["pageInfo"]["startCursor"])
    return found


async def is_planned(gateway: InProcess, document: str, **variables: object) -> bool:
    """Whether a plan answers the third request of a document."""
    for _ in range(3):
        before = gateway.app.state.answers.planned
        await gateway.ask(document, **variables)
    return bool(gateway.app.state.answers.planned > before)


async def id_of(gateway: InProcess) -> str:
    page = await gateway.page(first=1)
    found: str = page["edges"][0]["node"]["entityId"]
    return found


PAGE = "query($n: Int, $a: String) { segments(first: $n, after: $a) { nodes { name } } }"
ROW = "query($id: ID) { segment(entityId: $id) { name } }"
ROWS = "query($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { name } }"
SKIPPED = "query($no: Boolean = true) { segments { totalCount nodes @skip(if: $no) { name } } }"


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ __typename }", {}),
        ("{ segments { totalCount } }", {}),
        ("{ segments { __typename } }", {}),
        ("{ segments(last: 3) { edges { node { __typename id } } } }", {}),
        ("{ a: segments(first: 0) { edges { cursor } pageInfo { startCursor } } }", {}),
        ("{ segments { ...F } } fragment F on SegmentConnection { nodes { name name } }", {}),
        ("{ segments { nodes { ... on Node { id } ... @include(if: true) { name } } } }", {}),
        (PAGE, {}),
        (PAGE, {"n": None, "a": None}),
        (PAGE, {"n": 3, "unknown": True}),
        (SKIPPED, {}),
        (SKIPPED, {"no": False}),
        (ROWS, {"ids": []}),
        ("query($r: [_Any!]!) { _entities(representations: $r) { __typename } }", {"r": []}),
    ],
)
async def test_an_operation_has_a_plan(
    gateway: InProcess, document: str, variables: dict[str, object]
) -> None:
    assert await is_planned(gateway, document, **variables)


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ __schema { queryType { name } } }", {}),
        ("{ _service { sdl } }", {}),
        ("{ segments(first: 251) { totalCount } }", {}),
        ('{ segments(after: "x") { totalCount } }', {}),
        ("{ segment { name } }", {}),
        (PAGE, {"n": True}),
        (PAGE, {"n": 3.0}),
        (PAGE, {"n": 2**31}),
        (PAGE, {"a": 3}),
        (SKIPPED, {"no": None}),
        (ROW, {"id": ABSENT}),
        (ROW, {"id": 3}),
        (ROW, {"id": None}),
        (ROWS, {}),
        (ROWS, {"ids": None}),
        (ROWS, {"ids": ABSENT}),
        (ROWS, {"ids": [None]}),
        (ROWS, {"ids": [ABSENT] * 251}),
        ("query($id: ID!) { segmentsByEntityId(entityIds: [$id]) { name } }", {"id": ABSENT}),
        ("query($id: ID!) { node(id: $id) { id } }", {"id": CUSTOMER}),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [CUSTOMER]}),
        ("query($r: [_Any!]!) { _entities(representations: $r) { __typename } }",
         {"r": [{"__typename": "Customer", "entityId": 7}]}),
        ("{ segments(first: 1) { nodes { name shopperProfiles { totalCount } } } }", {}),
        ("{ segments(first: 1) { totalCount } shopperProfiles { totalCount } }", {}),
        ("{ customer(entityId: 7) { email } }", {}),
        ("{ " + " ".join(f"a{n}: segments(first: 250) {{ nodes {{ id name }} }}" for n in range(10))
         + " }", {}),
    ],
)  # fmt: skip
async def test_an_operation_is_executed(
    gateway: InProcess, document: str, variables: dict[str, object]
) -> None:
    assert not await is_planned(gateway, document, **variables)


async def test_plan_of_segments_leaves_customers_to_the_execution(gateway: InProcess) -> None:
    segment = await gateway.data("{ segments(first: 1) { nodes { id name } } }")
    (row,) = segment["segments"]["nodes"]
    document = (
        "query($id: ID!) { node(id: $id) { id ... on Segment { name } "
        "... on Customer { entityId } } }"
    )
    assert await is_planned(gateway, document, id=row["id"])
    assert await gateway.data(document, id=row["id"]) == {"node": row}
    customer = {"node": {"id": CUSTOMER, "entityId": 7}}
    assert await gateway.data(document, id=CUSTOMER) == customer
    assert not await is_planned(gateway, document, id=CUSTOMER)


async def test_a_document_is_executed_once_before_it_has_a_plan(gateway: InProcess) -> None:
    counts = gateway.app.state.answers
    before = counts.planned, counts.executed
    await gateway.ask("{ segments { nodes { id } } }")
    assert (counts.planned, counts.executed) == (before[0], before[1] + 1)
    await gateway.ask("{ segments { nodes { id } } }")
    assert (counts.planned, counts.executed) == (before[0] + 1, before[1] + 1)


async def test_a_stale_page_is_planned_and_refreshed_once(gateway: InProcess, clock: Clock) -> None:
    document = "{ segments { nodes { name } } }"
    assert await is_planned(gateway, document)
    clock.advance(TTL + FRESH)
    before = gateway.upstream_requests, total_of(gateway.services.cache.counts).stale
    answer = await gateway.ask(document)
    assert answer["extensions"]["cache"] == {"age": 20, "stale": True}
    assert total_of(gateway.services.cache.counts).stale == before[1] + 1
    await gateway.services.segments.read(0, not_before=clock())
    assert gateway.upstream_requests == before[0] + 1


async def test_ids_in_any_case_and_more_than_once_have_a_plan(gateway: InProcess) -> None:
    found = await id_of(gateway)
    assert await is_planned(gateway, ROW, id=found.upper())
    assert await is_planned(gateway, ROWS, ids=[found, found.upper(), found])
    both = "query($id: ID!, $ids: [ID!]!) { a: node(id: $id) { id } nodes(ids: $ids) { id } }"
    global_id = (await gateway.data(f'{{ segment(entityId: "{found}") {{ id }} }}'))["segment"][
        "id"
    ]
    assert await is_planned(gateway, both, id=global_id, ids=[global_id])


async def test_rows_of_a_request_that_is_not_ready_are_charged_once(clock: Clock) -> None:
    gateway = in_process(
        600, clock=clock, MAX_ROWS_PER_REQUEST="1250", RESPONSE_CACHE_MAX_BYTES="0"
    )
    document = "{ segments(first: 250) { edges { a: node { id } b: node { id } } nodes { id } } }"
    assert await is_planned(gateway, document)
    clock.advance(10_000)
    assert "errors" not in await gateway.ask(document)


def conditional(names: list[str]) -> str:
    """A document with a condition for each name, by default false."""
    declared = " ".join(f"${name}: Boolean = false" for name in names)
    fields = " ".join(f"{name}: __typename @skip(if: ${name})" for name in names)
    return f"query({declared}) {{ {fields} }}"


async def test_an_operation_keeps_its_newest_eight_plans() -> None:
    gateway = in_process(10)
    names = [f"v{n}" for n in range(4)]
    document = conditional(names)
    for bits in range(16):
        await gateway.ask(document, **{name: bool(bits >> at & 1) for at, name in enumerate(names)})
    planned = gateway.app.state.answers
    assert (planned.planned, planned.executed) == (15, 1)
    (plans,) = gateway_plans(gateway, document)
    assert len(plans) == MAXIMUM_PLANS
    assert (True, True, True, True) in plans


async def test_a_condition_by_default_has_the_plan_of_its_value() -> None:
    gateway = in_process(10)
    document = conditional(["a"])
    for variables in ({}, {"a": False}, {}, {"other": True}):
        await gateway.ask(document, **variables)
    (plans,) = gateway_plans(gateway, document)
    assert [*plans] == [(False,)]


def gateway_plans(gateway: InProcess, document: str) -> list[dict[Conditions, Plan | None]]:
    """Returns the plans of each operation of a document."""
    known = graph_of(gateway).documents.peek(document)
    assert known is not None
    return [operation._plans for operation in known.plans.values()]


def graph_of(gateway: InProcess) -> Graph:
    front: Front = gateway.app.answer_at_once.__self__  # type: ignore[attr-defined] # a method of it
    planned = front._ready._planned
    graph: Graph = planned.__self__  # type: ignore[attr-defined] # a method of it
    return graph


async def test_plans_of_forgotten_documents_hold_no_document() -> None:
    gateway = in_process(10)
    await gateway.page(first=10)
    graph = graph_of(gateway)
    for number in range(40):
        document = f"query A {{ segments(first: 1) {{ nodes {{ a{number}: id }} }} }} #"
        for _ in range(2):
            await gateway.ask(document + "x" * 5000)
    gc.collect()
    sources = sum(isinstance(one, Source) for one in gc.get_objects())
    assert len(graph.documents.cache) < 40
    assert sources <= len(graph.documents.cache) + 2
    assert graph.plans.characters <= MAXIMUM_CHARACTERS


def test_the_oldest_plans_are_forgotten_and_each_counts() -> None:
    memory = PlanMemory(maximum_characters=20)
    plans: list[dict[tuple[object, ...], None]] = [{}, {}, {}]
    for own in plans:
        memory.keep(own, (), None, 10)  # type: ignore[arg-type] # only None is kept here
    assert (plans, memory.characters) == ([{}, {(): None}, {(): None}], 20)
