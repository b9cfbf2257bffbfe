import hashlib
import json
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.api_keys import (
    MAXIMUM_FILE_BYTES,
    ApiKeysError,
    api_keys_table,
    create_api_key,
    parse_key_name,
    parse_scopes,
    read_api_keys,
    revoke_api_key,
)
from gateway.identity import AccessScope

READ = [AccessScope.SEGMENTS_READ, AccessScope.PROFILES_READ]
ENTRY = {
    "name": "web",
    "sha256": "0" * 64,
    "scopes": ["segments:read"],
    "created": "2026-01-02T03:04:05Z",
}
MADE = "The file has to be made by `gateway keys create`"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def refusal_of(file: Path) -> str:
    with pytest.raises(ApiKeysError) as caught:
        read_api_keys(file)
    return str(caught.value)


def with_entries(file: Path, *entries: object) -> None:
    file.write_text(json.dumps({"keys": entries}))
    file.chmod(0o600)


def test_a_new_key_has_256_random_bits_and_a_prefix(file: Path) -> None:
    keys = {create_api_key(file, f"web-{n}", READ) for n in range(5)}
    assert len(keys) == 5
    assert all(re.fullmatch(r"gwk_[A-Za-z0-9_-]{43}", key) for key in keys)


def test_the_file_has_the_hash_of_a_key_and_not_the_key(file: Path) -> None:
    key = create_api_key(file, "web", READ)
    (stored,) = read_api_keys(file)
    assert (stored.name, stored.scopes) == ("web", READ)
    assert stored.sha256 == hashlib.sha256(key.encode()).hexdigest()
    assert 0 <= (datetime.now(UTC) - stored.created).total_seconds() < 60
    assert key.removeprefix("gwk_") not in file.read_text()


def test_the_file_is_its_owner_s_alone_and_no_draft_stays(file: Path) -> None:
    create_api_key(file, "web", READ)
    create_api_key(file, "router", [AccessScope.FEDERATION])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["keys.json"]
    assert [key.name for key in read_api_keys(file)] == ["web", "router"]


def test_a_name_that_exists_is_refused_and_the_file_stays(file: Path) -> None:
    create_api_key(file, "web", READ)
    before = file.read_bytes()
    with pytest.raises(ApiKeysError, match=r"^The file has a key with the name web: revoke it"):
        create_api_key(file, "web", READ)
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == ["keys.json"]


def test_a_revoked_key_is_gone_and_the_others_stay(file: Path) -> None:
    for name in ("web", "router"):
        create_api_key(file, name, READ)
    revoke_api_key(file, "web")
    assert [key.name for key in read_api_keys(file)] == ["router"]
    with pytest.raises(ApiKeysError, match=r"^The file has no key with the name web$"):
        revoke_api_key(file, "web")


def test_to_revoke_a_key_makes_no_file(file: Path) -> None:
    with pytest.raises(ApiKeysError, match="cannot be read: no such file"):
        revoke_api_key(file, "web")
    assert os.listdir(file.parent) == []


def test_a_link_to_the_file_stays_a_link(file: Path) -> None:
    link = file.with_name("link.json")
    create_api_key(file, "web", READ)
    link.symlink_to(file)
    create_api_key(link, "router", READ)
    assert link.is_symlink()
    assert [key.name for key in read_api_keys(file)] == ["web", "router"]


def test_two_commands_at_once_do_not_lose_a_key(file: Path) -> None:
    create_api_key(file, "web", READ)
    draft = file.with_name("keys.json.new")
    draft.touch()
    with pytest.raises(ApiKeysError, match=r"remove keys\.json\.new beside it"):
        create_api_key(file, "router", READ)
    assert draft.exists()


@pytest.mark.parametrize("place", ["nowhere/keys.json", "folder.json"])
def test_a_file_that_cannot_be_written_is_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ApiKeysError, match=r"^The file cannot be (read|written): "):
        create_api_key(tmp_path / place, "web", READ)
    assert os.listdir(tmp_path) == ["folder.json"]


def test_an_error_while_the_file_is_replaced_leaves_no_draft(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(ApiKeysError, match=r"written: no space left on device$"):
        create_api_key(file, "web", READ)
    assert os.listdir(file.parent) == []


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused(mode: int, file: Path) -> None:
    create_api_key(file, "web", READ)
    file.chmod(mode)
    assert refusal_of(file) == "Other users can write the file: run `chmod go-w` on it"


def test_a_file_that_others_can_read_is_taken(file: Path) -> None:
    create_api_key(file, "web", READ)
    file.chmod(0o644)
    assert len(read_api_keys(file)) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"keys": [1]}',
        b'{"keys": []} x',
        b'{"keys": [], "more": 1}',
        b'{"keys": ["\xff"]}',
        *(
            json.dumps({"keys": [entry]}).encode()
            for entry in (
                {**ENTRY, "name": ""},
                {**ENTRY, "name": "a b"},
                {**ENTRY, "name": "web\n"},
                {**ENTRY, "sha256": "0" * 63},
                {**ENTRY, "sha256": "0" * 64 + "\n"},
                {**ENTRY, "sha256": "X" * 64},
                {**ENTRY, "scopes": ["segments:raed"]},
                {**ENTRY, "scopes": "segments:read"},
                {**ENTRY, "created": "yesterday"},
                {**ENTRY, "created": "2026-01-02T03:04:05"},
                {**ENTRY, "key": "gwk_1"},
                {name: value for name, value in ENTRY.items() if name != "scopes"},
            )
        ),
    ],
)
def test_a_malformed_file_is_refused(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    file.chmod(0o600)
    assert refusal_of(file) == MADE


def test_a_key_or_a_name_that_stands_twice_is_refused(file: Path) -> None:
    for other in ({**ENTRY, "sha256": "1" * 64}, {**ENTRY, "name": "other"}):
        with_entries(file, ENTRY, other)
        assert refusal_of(file) == "The file has a key or the name of a key twice"


def test_a_huge_file_is_refused(file: Path) -> None:
    file.write_bytes(b" " * (MAXIMUM_FILE_BYTES + 1))
    file.chmod(0o600)
    assert refusal_of(file) == "The file is larger than 1048576 bytes"


def test_the_table_has_names_times_and_scopes(file: Path) -> None:
    with_entries(file, ENTRY, {**ENTRY, "name": "router", "sha256": "1" * 64, "scopes": []})
    assert api_keys_table(read_api_keys(file)) == (
        "web     2026-01-02T03:04:05Z  segments:read\nrouter  2026-01-02T03:04:05Z  \n"
    )
    assert api_keys_table(()) == ""


def test_scopes_are_read_in_one_order_and_once() -> None:
    assert parse_scopes("federation, segments:read,federation") == [
        AccessScope.SEGMENTS_READ,
        AccessScope.FEDERATION,
    ]


@pytest.mark.parametrize("text", ["", "segments:read,", "segments:Read", "segments"])
def test_an_unknown_scope_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(ValueError, match=r"is none of segments:read, profiles:read, segments:"):
        parse_scopes(text)


def test_a_name_is_short_and_plain() -> None:
    assert parse_key_name("web-1.prod_2") == "web-1.prod_2"
    for text in ("", "a b", "é", "a" * 65, "web\n"):
        with pytest.raises(ValueError, match="is not 1 to 64 letters"):
            parse_key_name(text)
