import math
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redis.signer import Signer

TOKEN = "s3cr3t-t0ken"
SIGNER = Signer(TOKEN)
NOW = 1_800_000_000.123456
HEAD = 8 + 16

times = st.floats(allow_nan=False)


@given(key=st.text(), at=times, value=st.binary())
def test_signed_value_comes_back_with_its_time(key: str, at: float, value: bytes) -> None:
    raw = SIGNER.sign(key, at, value)
    assert SIGNER.verify(key, raw) == (at, value)
    assert Signer(TOKEN).verify(key, raw) == (at, value)
    assert raw[HEAD:] == value


def test_not_a_number_is_no_time_but_verified() -> None:
    verified = SIGNER.verify("k", SIGNER.sign("k", math.nan, b"1"))
    assert verified is not None
    assert math.isnan(verified[0])


@given(at=st.integers(0, HEAD + 4), bit=st.integers(0, 7))
def test_each_bit_counts(at: int, bit: int) -> None:
    raw = bytearray(SIGNER.sign("k", NOW, b"value"))
    raw[at] ^= 1 << bit
    assert SIGNER.verify("k", bytes(raw)) is None


@pytest.mark.parametrize("length", range(HEAD + 5))
def test_what_is_cut_off_is_not_verified(length: int) -> None:
    assert SIGNER.verify("k", SIGNER.sign("k", NOW, b"value")[:length]) is None


@given(raw=st.binary())
def test_other_bytes_are_not_verified(raw: bytes) -> None:
    assert SIGNER.verify("k", raw) is None


def test_neither_another_key_nor_another_secret_verifies() -> None:
    raw = SIGNER.sign("k", NOW, b"value")
    assert SIGNER.verify("j", raw) is None
    assert Signer(f"{TOKEN} ").verify("k", raw) is None


def test_bytes_do_not_move_between_the_key_and_the_value() -> None:
    raw = SIGNER.sign("a:b", NOW, b"c")
    assert SIGNER.verify("a:", raw[:HEAD] + b"bc") is None
    assert SIGNER.verify("a:bc", raw[:HEAD]) is None


def test_secret_itself_is_no_key() -> None:
    for key in (TOKEN.encode(), blake2b(TOKEN.encode()).digest()):
        mac = blake2b(SIGNER.sign("k", NOW, b"value")[:8], key=key, digest_size=16)
        mac.update(b"\x00\x00\x00\x01kvalue")
        assert mac.digest() not in SIGNER.sign("k", NOW, b"value")
    assert TOKEN not in repr(vars(SIGNER))


def test_layout_stays_the_same() -> None:
    """Gateways of different versions share entries: a change here needs another `LAYOUT`."""
    time, mac = "3ff8000000000000", "c2e758279b148e1fb38c6b9b6b8b76ae"
    assert SIGNER.sign("k", 1.5, b"value") == bytes.fromhex(time + mac) + b"value"
