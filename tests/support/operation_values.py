"""Values for the arguments of generated operations: those of clients, and wrong ones."""

from base64 import b64encode
from dataclasses import replace

from hypothesis import strategies as st

from gateway.emulator import SegmentRow, seeded_store
from gateway.pagination import fingerprint
from gateway.pagination.cursors import REMEMBERED_ROWS, Cursor, encode_cursor

# At the edges of pages, blocks and the list; 250 rows are a block.
EDGES = (0, 4, 5, 249, 250, 254, 255, 499, 500, 999)
# Texts that JSON escapes or does not, and dates that are none, or not in UTC.
_ODD_ROWS = {
    0: {"name": 'A "quoted" \\ name', "updated_at": "2024-05-01T10:00:00+02:00"},
    1: {"name": "", "description": ""},
    2: {"name": "\u2028\x00\x1f\x7f\n\t", "created_at": "yesterday"},
    3: {"name": "\U0001f600 é </script> \u00a0", "created_at": "2024-05-01T10:00:00.999999Z"},
    4: {"name": "x" * 2000, "created_at": "0001-01-01T00:00:00Z"},
    249: {"name": "null", "description": "\\u0041", "updated_at": "9999-12-31T23:59:59.9999Z"},
    250: {"description": "\ufeff\ufffd", "updated_at": ""},
    999: {"name": "\r\n", "created_at": "2024-02-30T10:00:00Z"},
}
ROWS: tuple[SegmentRow, ...] = tuple(
    replace(row, **_ODD_ROWS.get(at, {})) for at, row in enumerate(seeded_store(1000, 0).segments)
)
Json = object


class EnumName(str):
    """A value of an enum: a document has it without quotes."""


def cursor_of(offset: int, list_name: str = "segments of teststore") -> str:
    """Returns the text that an edge of the seeded list shows."""
    before = ROWS[max(0, offset - REMEMBERED_ROWS) : offset]
    marks = tuple(fingerprint(row.id) for row in reversed(before))
    return encode_cursor(Cursor(offset, ROWS[offset].id, marks), list_name)


def global_id_of(uuid: str, type_name: str = "Segment") -> str:
    """Returns the id of a type's object in the graph."""
    return b64encode(f"{type_name}:{uuid}".encode()).decode()


PRESENT = tuple(ROWS[at].id for at in (*EDGES, 1, 2, 3, 7))
ABSENT = "ffffffff-0000-4000-8000-ffffffffffff"

counts = st.sampled_from([2, 1, 3, 5, 10, 2, 1, 7, 3, 5, 20, 1, 2, 3, 49, 50, 0, 249, 250])
cursors = st.sampled_from([cursor_of(at) for at in EDGES])
uuids = st.sampled_from([*PRESENT, *PRESENT, ABSENT, PRESENT[0].upper()])
global_ids = st.sampled_from(
    [
        *(global_id_of(uuid) for uuid in PRESENT * 2),
        global_id_of(ABSENT),
        global_id_of(PRESENT[1].upper()),
    ]
)
_lengths = st.sampled_from([2, 1, 3, 5, 0, 12, 1, 2, 3, 2, 1, 3, 5, 0, 12, 1, 2, 3, 100, 101, 250])


def _lists(of: st.SearchStrategy[str], wanted: st.SearchStrategy[int]) -> st.SearchStrategy[Json]:
    """Lists of all lengths, the long ones of ids that follow each other in the store."""

    @st.composite
    def drawn(draw: st.DrawFn) -> list[str]:
        length = draw(wanted)
        if length <= 12:
            return draw(st.lists(of, min_size=length, max_size=length))
        first = draw(of)
        is_global = len(first) > 36
        return [first, *(global_id_of(row.id) if is_global else row.id for row in ROWS[1:length])]

    return drawn()


representations = st.one_of(
    uuids.map(lambda uuid: {"__typename": "Segment", "entityId": uuid}),
    global_ids.map(lambda one: {"__typename": "Segment", "id": one}),
    uuids.map(lambda uuid: {"entityId": uuid, "__typename": "Segment", "name": "ignored"}),
    uuids.map(
        lambda uuid: {"__typename": "Segment", "id": global_id_of(uuid), "entityId": uuid.lower()}
    ),
)

# What a client that knows the schema sends, by the name of the argument.
USUAL: dict[str, st.SearchStrategy[Json]] = {
    "first": counts,
    "last": counts,
    "after": cursors,
    "before": cursors,
    "id": global_ids,
    "entityId": uuids,
    "ids": _lists(global_ids, _lengths),
    "entityIds": _lists(uuids, _lengths),
    "representations": st.lists(representations, max_size=4),
    "filter": st.sampled_from(
        [
            None,
            {},
            {"nameContains": "vip"},
            {"nameContains": "É", "createdAt": {"from": "2024-01-01T00:00:00Z"}},
            {"updatedAt": {"from": "2024-05-01T10:00:00+02:00", "to": "2025-01-01T00:00:00Z"}},
        ]
    ),
    "sortKey": st.sampled_from(
        [EnumName(name) for name in ("STORE_ORDER", "NAME", "CREATED_AT", "UPDATED_AT")]
    ),
    "reverse": st.booleans(),
}
_VIP = PRESENT[0]
_odd_numbers = [-1, 251, 10**6, 2**31, -(2**31) - 1, 2.0, 2.5, 1e2, "2", True, None, [2], {}]
_odd_texts = ["", "?", "a" * 300, "\u0000", 7, 7.0, 2**60, False, None, [], {"a": 1}, "segments"]
_odd_cursors = [
    *_odd_texts,
    cursor_of(5, "segments of another"),
    cursor_of(5) + "=",
    cursor_of(5)[:-1],
    [cursor_of(4)],
]
_odd_ids = [
    *_odd_texts,
    *(_VIP, _VIP.upper(), f" {_VIP}", _VIP.replace("-", ""), f"{_VIP},{_VIP}", [_VIP]),
    *(global_id_of(_VIP, "Promotion"), global_id_of(""), global_id_of(_VIP)[:-1]),
]
_odd_lists = [*_odd_ids, global_id_of(_VIP), [None], [_VIP, None], [[_VIP]], [_VIP, "?", _VIP, 7]]
_odd_filters = [
    *(5, "vip", [], [{}], {"nameContains": 5}, {"createdAt": "2024-01-01T00:00:00Z"}, {"x": 1}),
    *({"createdAt": {"from": text}} for text in ("2024-01-01", "", 7, None)),
]
# Null, of another type, out of bounds, of another list, and one value where a list is expected.
ODD: dict[str, st.SearchStrategy[Json]] = {
    "first": st.sampled_from(_odd_numbers),
    "last": st.sampled_from(_odd_numbers),
    "after": st.sampled_from(_odd_cursors),
    "before": st.sampled_from(_odd_cursors),
    "id": st.sampled_from(_odd_ids),
    "entityId": st.sampled_from(_odd_ids),
    "ids": st.sampled_from(_odd_lists) | _lists(global_ids, st.just(251)),
    "entityIds": st.sampled_from(_odd_lists) | _lists(uuids, st.just(251)),
    "filter": st.sampled_from(_odd_filters),
    "sortKey": st.sampled_from([None, "NAME", EnumName("PRICE"), 1, [], ["NAME"], {}, True]),
    "reverse": st.sampled_from([None, 0, 1, "true", [], [True], {}]),
    "representations": st.sampled_from(
        [
            *(None, {}, [None], [{"__typename": "Segment"}], [{"__typename": "Other", "id": "1"}]),
            {"__typename": "Segment", "entityId": _VIP},
            [{"__typename": "Segment", "id": 7}, {"__typename": "Segment", "entityId": _VIP}],
            [{"__typename": "Segment", "id": global_id_of(_VIP), "entityId": ABSENT}],
        ]
    ),
}
