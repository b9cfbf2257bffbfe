"""What lies in Redis is served only if it is what its key says."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest

from gateway.bigcommerce.models import Customer, Segment
from gateway.data_source import CUSTOMERS, Codec
from gateway.data_source.codec import EmailCodec
from gateway.data_source.collection import Keys
from gateway.pagination import Block

KEYS = Keys("gateway:v4:abc", "segments")
CODEC = Codec(Segment)
READ_AT = 1_800_000_000.0
IDS = [f"{n:08d}-0000-4000-8000-00000000000a" for n in range(3)]
ROWS: list[Segment | None] = [
    Segment(row_id, "a name", None, datetime(2026, 1, 2, tzinfo=UTC)) for row_id in IDS
]
pack = msgspec.msgpack.encode


@pytest.mark.parametrize("row", [ROWS[0], None])
def test_row_and_its_absence_come_back(row: Segment | None) -> None:
    raw = CODEC.rows.encode(row)
    assert CODEC.rows.decode(KEYS.row(IDS[0]), raw, READ_AT) == row


@pytest.mark.parametrize(
    ("index", "rows"), [(0, ROWS[:2]), (1, ROWS[2:]), (2, []), (0, [None, ROWS[1]])]
)
# It is stored by the size that was asked for, and holds the one that was answered.
@pytest.mark.parametrize("asked_size", [2, 250])
def test_block_comes_back_with_the_time_of_its_read(
    index: int, rows: list[Segment | None], asked_size: int
) -> None:
    block = Block(index, 2, 3, rows, READ_AT)
    raw = CODEC.blocks.encode(block)
    assert CODEC.blocks.decode(KEYS.block(asked_size, index), raw, READ_AT) == block


def row(**fields: object) -> dict[str, object]:
    return {"id": IDS[0], "name": "a name", **fields}


def is_refused(decode: Callable[[str, bytes, float], object], key: str, raw: bytes) -> bool:
    try:
        decode(key, raw, READ_AT)
    except ValueError:
        return True
    return False


WHOLE_ROW = CODEC.rows.encode(ROWS[0])
WHOLE_BLOCK = CODEC.blocks.encode(Block(0, 2, 3, ROWS[:2], READ_AT))


WRONG_ROWS = [
    pack(None),
    pack([]),
    pack("a name"),
    pack({}),
    pack(row(id="not a uuid")),
    pack(row(id=IDS[0].replace("a", "A"))),
    pack(row(id=IDS[1])),
    pack(row(id=7)),
    pack(row(name=7)),
    pack(row(name=["a"])),
    pack(row(created_at="yesterday")),
    pack(row(created_at="2026-01-02T00:00:00")),
    WHOLE_ROW[:-1],
    WHOLE_ROW + b"\x00",
    b"\x81" * 100_000,
    b"\xa4\xff\xff\xff\xff",
]


def test_bytes_that_are_not_the_row_of_their_key_are_refused() -> None:
    accepted = [
        raw for raw in WRONG_ROWS if not is_refused(CODEC.rows.decode, KEYS.row(IDS[0]), raw)
    ]
    assert accepted == []


WRONG_BLOCKS = [
    b"",
    pack([1, 2, 3, ROWS[2:]]),
    pack([-1, 2, 3, []]),
    pack([0, 0, 3, []]),
    pack([0, -2, 3, []]),
    pack([0, 2, -1, []]),
    pack([0, 2, 2**31, ROWS[:2]]),
    pack([0, 2, 3, ROWS[:1]]),
    pack([0, 2, 3, ROWS]),
    pack([0, 2, 3, [ROWS[0], ROWS[0]]]),
    pack([0, 2, 3, [ROWS[0], row(id="x")]]),
    pack([0, 2, 3, [ROWS[0], 7]]),
    pack([0, "2", 3, ROWS[:2]]),
    pack([0, 2, 3]),
    pack([0, 2.5, 3, ROWS[:2]]),
    pack({"index": 0, "size": 2, "total": 3, "rows": ROWS[:2]}),
    WHOLE_ROW,
    b"\x91" * 100_000,
]


def test_bytes_that_are_not_the_block_of_their_key_are_refused() -> None:
    accepted = [
        raw for raw in WRONG_BLOCKS if not is_refused(CODEC.blocks.decode, KEYS.block(2, 0), raw)
    ]
    assert accepted == []


@pytest.mark.parametrize(
    "spoil", [Random.randbytes, lambda random, _: bytes([random.getrandbits(8)])]
)
def test_random_bytes_raise_nothing_but_value_error(spoil: Callable[[Random, int], bytes]) -> None:
    random = Random(1)
    for _ in range(2000):
        at = random.randrange(len(WHOLE_BLOCK))
        raw = WHOLE_BLOCK[:at] + spoil(random, 9) + WHOLE_BLOCK[at + 1 :]
        is_refused(CODEC.blocks.decode, KEYS.block(2, 0), raw)
        is_refused(CODEC.rows.decode, KEYS.row(IDS[0]), raw)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_values_that_are_nested_too_deeply_are_refused(depth: int) -> None:
    nested = b"\x91" * depth + b"\xc0"
    # A field that the row does not have, and an element behind those of the block.
    row = b"\x82" + WHOLE_ROW[1:].split(pack("name"))[0] + pack("odd") + nested
    assert is_refused(CODEC.rows.decode, KEYS.row(IDS[0]), row)
    block = b"\x95" + WHOLE_BLOCK[1:] + nested
    assert is_refused(CODEC.blocks.decode, KEYS.block(250, 0), block)


@pytest.mark.parametrize(
    "odd",
    [
        Customer("0"),
        Customer("07"),
        Customer("x"),
        Customer("17", shopper_profile_id="17"),
        Customer("17", segment_ids=("17,18",)),
    ],
)
def test_customer_in_redis_has_ids_that_can_be_sent(odd: Customer) -> None:
    codec = CUSTOMERS.codec.rows
    assert codec.decode("a:17", codec.encode(Customer("17")), READ_AT) == Customer("17")
    assert is_refused(codec.decode, f"a:{odd.id}", codec.encode(odd))


@pytest.mark.parametrize("raw", [b"0", b"x", b"17,18", b"1" * 40, "é".encode()])
def test_id_of_an_address_in_redis_is_a_number(raw: bytes) -> None:
    codec = EmailCodec()
    assert [codec.decode("k", codec.encode(value), READ_AT) for value in ("17", None)] == [
        "17",
        None,
    ]
    assert is_refused(codec.decode, "k", raw)
