"""What other processes store is used only where it is what its key says."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest

from gateway.bigcommerce.models import Segment
from gateway.data_source.stored import ABSENT, StoredBlock, StoredKeys, encode

KEYS = StoredKeys("gateway:v3:abc", "segments")
IDS = [f"{n:08d}-0000-4000-8000-00000000000a" for n in range(3)]
ROWS: list[Segment | None] = [
    Segment(row_id, "a name", None, datetime(2026, 1, 2, tzinfo=UTC)) for row_id in IDS
]
pack = msgspec.msgpack.encode


def test_what_the_gateway_stores_is_sound() -> None:
    assert KEYS.is_sound(KEYS.segment(IDS[0]), encode(ROWS[0]))
    assert KEYS.is_sound(KEYS.segment(IDS[0]), ABSENT)
    assert KEYS.is_sound(KEYS.block(2, 0), encode(StoredBlock(0, 2, 3, ROWS[:2])))
    assert KEYS.is_sound(KEYS.block(2, 1), encode(StoredBlock(1, 2, 3, ROWS[2:])))
    assert KEYS.is_sound(KEYS.block(2, 2), encode(StoredBlock(2, 2, 3, [])))
    assert KEYS.is_sound(KEYS.block(2, 0), encode(StoredBlock(0, 2, 3, [None, ROWS[1]])))
    # It is stored under the size that was asked for, and holds the one that was answered.
    assert KEYS.is_sound(KEYS.block(250, 0), encode(StoredBlock(0, 2, 3, ROWS[:2])))


def row(**fields: object) -> dict[str, object]:
    return {"id": IDS[0], "name": "a name", **fields}


@pytest.mark.parametrize(
    "value",
    [
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
        encode(ROWS[0])[:-1],
        encode(ROWS[0]) + b"\x00",
        b"\x81" * 100_000,
        b"\xa4\xff\xff\xff\xff",
    ],
)
def test_value_that_is_not_the_segment_of_its_key_is_not_sound(value: bytes) -> None:
    assert not KEYS.is_sound(KEYS.segment(IDS[0]), value)


@pytest.mark.parametrize(
    "value",
    [
        ABSENT,
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
        encode(ROWS[0]),
        b"\x91" * 100_000,
    ],
)
def test_value_that_is_not_the_block_of_its_key_is_not_sound(value: bytes) -> None:
    assert not KEYS.is_sound(KEYS.block(2, 0), value)


@pytest.mark.parametrize(
    "spoil", [Random.randbytes, lambda random, _: bytes([random.getrandbits(8)])]
)
def test_bytes_at_random_raise_nothing(spoil: Callable[[Random, int], bytes]) -> None:
    random = Random(1)
    whole = encode(StoredBlock(0, 2, 3, ROWS[:2]))
    for _ in range(2000):
        at = random.randrange(len(whole))
        value = whole[:at] + spoil(random, 9) + whole[at + 1 :]
        for key in (KEYS.block(2, 0), KEYS.segment(IDS[0])):
            KEYS.is_sound(key, value)
