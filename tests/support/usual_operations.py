"""The requests of usual clients: pages of Relay and Apollo Client, lookups, aliases, entities."""

from dataclasses import dataclass

from hypothesis import strategies as st
from operation_values import EDGES, PRESENT, Json, cursor_of, global_id_of
from operations import Operation

FIELDS = ["id", "name", "entityId", "description", "createdAt", "updatedAt", "__typename"]
PAGE_INFO = ["hasNextPage", "endCursor", "hasPreviousPage", "startCursor", "__typename"]


@dataclass(frozen=True)
class UsualOperation:
    """An operation, and the kind of client that sends it."""

    kind: str
    operation: Operation


def _some(names: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(names), min_size=1, unique=True).map(" ".join)


_fields, _info = _some(FIELDS), _some(PAGE_INFO)
_counts = st.sampled_from([10, 2, 20, 50, 1, 3, 100, 249, 250])
_cursors = st.sampled_from(EDGES).map(cursor_of)
_uuids = st.sampled_from(PRESENT)
_global_ids = _uuids.map(global_id_of)


@st.composite
def _relay(draw: st.DrawFn) -> Operation:
    """A container with a pagination fragment, as Relay's compiler writes it."""
    document = (
        "query ListQuery( $cursor: String $count: Int! ) { ...List_query } "
        "fragment List_query on Query { segments(first: $count, after: $cursor) { edges { node "
        f"{{ ...Row_segment id __typename }} cursor }} pageInfo {{ {draw(_info)} }} }} }} "
        f"fragment Row_segment on Segment {{ {draw(_fields)} }}"
    )
    cursor: Json = draw(st.none() | _cursors)
    return Operation(document, {"count": draw(_counts), "cursor": cursor}, "ListQuery")


@st.composite
def _apollo(draw: st.DrawFn) -> Operation:
    """A page of nodes with `__typename` everywhere, and a part on demand."""
    document = (
        "query Segments($first: Int = 20, $after: String, $details: Boolean! = false) {\n"
        "  segments(first: $first, after: $after) {\n    totalCount\n"
        f"    nodes {{ {draw(_fields)} description @include(if: $details) __typename }}\n"
        f"    pageInfo {{ {draw(_info)} }}\n    __typename\n  }}\n}}"
    )
    variables: dict[str, Json] = {}
    for name, values in (("first", _counts), ("after", _cursors), ("details", st.booleans())):
        if draw(st.booleans()):
            variables[name] = draw(values)
    return Operation(document, variables, "Segments")


@st.composite
def _backward(draw: st.DrawFn) -> Operation:
    document = (
        "query Back($last: Int!, $before: String) { segments(last: $last, before: $before) "
        f"{{ edges {{ cursor node {{ {draw(_fields)} }} }} pageInfo {{ {draw(_info)} }} }} }}"
    )
    variables: dict[str, Json] = {"last": draw(_counts)}
    if draw(st.booleans()):
        variables["before"] = draw(_cursors)
    return Operation(document, variables)


@st.composite
def _literal_page(draw: st.DrawFn) -> Operation:
    """A page as someone writes it into GraphiQL."""
    first, fields = draw(_counts), draw(_fields)
    return Operation(f"{{ segments(first: {first}) {{ totalCount nodes {{ {fields} }} }} }}")


@st.composite
def _lookup(draw: st.DrawFn) -> Operation:
    fields = draw(_fields)
    document, value = draw(
        st.sampled_from(
            [
                ("query ($id: ID!) { segment(id: $id) { FIELDS } }", _global_ids),
                ("query ($id: ID) { segment(entityId: $id) { FIELDS } }", _uuids),
                ("query ($id: ID!) { node(id: $id) { ... on Segment { FIELDS } } }", _global_ids),
                ("query ($id: ID!) { node(id: $id) { __typename id ...S } } "
                 "fragment S on Segment { FIELDS }", _global_ids),
                ("query ($id: [ID!]!) { segmentsByEntityId(entityIds: $id) { FIELDS } }",
                 st.lists(_uuids, max_size=8)),
                ("query ($id: [ID!]!) { nodes(ids: $id) { id ... on Segment { FIELDS } } }",
                 st.lists(_global_ids, max_size=8)),
            ]
        )
    )  # fmt: skip
    return Operation(document.replace("FIELDS", fields), {"id": draw(value)})


@st.composite
def _aliases(draw: st.DrawFn) -> Operation:
    """A page of a frontend that needs several things at once."""
    fields = draw(_fields)
    parts = [
        f'a{at}: segment(entityId: "{uuid}") {{ {fields} }}'
        for at, uuid in enumerate(draw(st.lists(_uuids, min_size=1, max_size=5)))
    ]
    if draw(st.booleans()):
        parts.append(f"top: segments(first: {draw(_counts)}) {{ nodes {{ {draw(_fields)} }} }}")
    if draw(st.booleans()):
        parts.append("all: segments { totalCount }")
    return Operation("{ " + " ".join(parts) + " }")


@st.composite
def _entities(draw: st.DrawFn) -> Operation:
    """What routers send: Apollo's names the operation, both send representations by variable."""
    name = draw(st.sampled_from(["", "Page__segments__1"]))
    document = (
        f"query {name}($representations: [_Any!]!) {{ _entities(representations: "
        f"$representations) {{ ... on Segment {{ {draw(_fields)} }} }} }}"
    )
    by_uuid = _uuids.map(lambda one: {"__typename": "Segment", "entityId": one})
    by_id = _global_ids.map(lambda one: {"__typename": "Segment", "id": one})
    sent = draw(st.lists(by_uuid, max_size=8) | st.lists(by_id, max_size=8))
    return Operation(document, {"representations": sent}, name or None)


def usual_operations() -> st.SearchStrategy[UsualOperation]:
    """Valid operations of clients whose rows and cursors are those of the seeded list."""
    kinds = {
        "page of Relay": _relay(),
        "page of Apollo Client": _apollo(),
        "page backward": _backward(),
        "page by hand": _literal_page(),
        "lookup": _lookup(),
        "aliases": _aliases(),
        "entities": _entities(),
    }
    return st.one_of(
        *(st.builds(UsualOperation, st.just(kind), one) for kind, one in kinds.items())
    )
