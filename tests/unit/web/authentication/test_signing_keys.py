"""The key set of an issuer: cached, rotated, and served while it cannot be fetched."""

import asyncio

import pytest
from clock import Clock, settle
from issuer import OTHER_RSA_KEY, RSA_KEY, Issuer, public_jwk

from gateway.web.authentication import KeysUnavailable
from gateway.web.authentication.signing_keys import SigningKeys

DAY = 24 * 3600


def ids(keys: object) -> list[str | None]:
    return [key.kid for key in keys]  # type: ignore[attr-defined]


class Door:
    """A fetch that waits until the door is opened."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.opened = asyncio.Event()

    async def fetch(self) -> bytes:
        body = await self.issuer.fetch()
        await self.opened.wait()
        return body


async def test_keys_are_fetched_once_and_stay_for_ten_minutes() -> None:
    clock = Clock()
    issuer = Issuer(clock)
    keys = SigningKeys(issuer.fetch, ["RS256"], clock)
    assert issuer.fetches == 0
    for _ in range(5):
        assert ids(await keys.current()) == ["one"]
        clock.advance(120)
    await settle()
    assert issuer.fetches == 1


async def test_requests_at_once_share_a_fetch_and_one_that_leaves_does_not_end_it() -> None:
    clock = Clock()
    door = Door(Issuer(clock))
    keys = SigningKeys(door.fetch, ["RS256"], clock)
    waiting = [asyncio.ensure_future(keys.current()) for _ in range(20)]
    await settle()
    waiting.pop(0).cancel()
    await settle()
    door.opened.set()
    assert [ids(found) for found in await asyncio.gather(*waiting)] == [["one"]] * 19
    assert door.issuer.fetches == 1


async def test_old_keys_are_served_while_new_ones_are_fetched() -> None:
    clock = Clock()
    door = Door(Issuer(clock))
    door.opened.set()
    keys = SigningKeys(door.fetch, ["RS256"], clock)
    await keys.current()
    door.opened.clear()
    door.issuer.jwks = [public_jwk(OTHER_RSA_KEY, kid="two")]
    clock.advance(601)
    assert ids(await keys.current()) == ["one"]
    await settle()
    door.opened.set()
    await settle()
    assert ids(await keys.current()) == ["two"]
    assert door.issuer.fetches == 2


async def test_keys_are_served_for_a_day_while_fetches_fail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    issuer = Issuer(clock)
    keys = SigningKeys(issuer.fetch, ["RS256"], clock)
    await keys.current()
    issuer.fails = True
    for _ in range(24):
        clock.advance(3600)
        assert ids(await keys.current()) == ["one"]
        await settle()
    clock.advance(1)
    with pytest.raises(KeysUnavailable):
        await keys.current()
    assert caplog.messages == [
        "the keys that sign tokens (GATEWAY_JWT_JWKS_URL): connection refused"
    ]


async def test_a_failed_fetch_is_repeated_after_ten_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    clock = Clock()
    issuer = Issuer(clock)
    issuer.fails = True
    keys = SigningKeys(issuer.fetch, ["RS256"], clock)
    for seconds in (0, 5, 4.9):
        clock.advance(seconds)
        with pytest.raises(KeysUnavailable):
            await keys.current()
    assert issuer.fetches == 1
    issuer.fails = False
    clock.advance(0.1)
    assert ids(await keys.current()) == ["one"]
    assert caplog.messages[1:] == ["the keys that sign tokens are fetched again"]


async def test_an_unknown_key_fetches_again_at_most_once_in_ten_seconds() -> None:
    clock = Clock()
    issuer = Issuer(clock)
    keys = SigningKeys(issuer.fetch, ["RS256"], clock)
    first = await keys.current()
    issuer.jwks.append(public_jwk(OTHER_RSA_KEY, kid="two"))
    assert await keys.newer_than(first) is first
    clock.advance(10)
    rotated = await keys.newer_than(first)
    assert ids(rotated) == ["one", "two"]
    clock.advance(10)
    assert await keys.newer_than(first) is rotated  # another request has fetched it
    assert issuer.fetches == 2


async def test_an_unknown_key_finds_the_old_ones_if_the_fetch_fails() -> None:
    clock = Clock()
    issuer = Issuer(clock)
    keys = SigningKeys(issuer.fetch, ["RS256"], clock)
    first = await keys.current()
    issuer.fails = True
    clock.advance(10)
    assert await keys.newer_than(first) is first
    assert issuer.fetches == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "the answer is no JSON Web Key Set"),
        (b"\xff", "the answer is no JSON Web Key Set"),
        (b'"\xff"', "the answer is no JSON Web Key Set"),
        (b"[]", "the answer is no JSON Web Key Set"),
        (b"{}", "the answer is no JSON Web Key Set"),
        (b'{"keys": {}}', "the answer is no JSON Web Key Set"),
        (b'{"keys": 7}', "the answer is no JSON Web Key Set"),
        (b"[" * 100_000, "the answer is no JSON Web Key Set"),
        (b'{"keys": []}', "no key of the answer is for RS256, ES256"),
        (b'{"keys": [1, null, {}, {"kty": 1}]}', "no key of the answer is for RS256, ES256"),
        (b'{"keys": [{"kty": "RSA", "n": 1}]}', "no key of the answer is for RS256, ES256"),
        (b'{"keys": [{"kty": "RSA", "n": "", "e": ""}]}', "no key of the answer is for"),
        (b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}', "no key of the"),
        (b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "no key of the answer is for"),
    ],
)
async def test_an_answer_without_usable_keys_is_a_failure(
    body: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def fetch() -> bytes:
        return body

    keys = SigningKeys(fetch, ["RS256", "ES256"], Clock())
    with pytest.raises(KeysUnavailable):
        await keys.current()
    assert reason in caplog.text


async def test_only_the_first_hundred_keys_are_read() -> None:
    clock = Clock()
    jwk = public_jwk(RSA_KEY)
    issuer = Issuer(clock, *({**jwk, "kid": str(n)} for n in range(150)))
    assert len(await SigningKeys(issuer.fetch, ["RS256"], clock).current()) == 100
