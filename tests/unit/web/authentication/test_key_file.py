import logging
from pathlib import Path

import pytest
from clock import Clock

from gateway.api_keys import ApiKeysError, create_api_key, revoke_api_key
from gateway.identity import AccessScope, Client
from gateway.web.authentication import KeyFile
from gateway.web.authentication.refused import CredentialsRefused

READ = [AccessScope.SEGMENTS_READ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def refuses(keys: KeyFile, key: str) -> bool:
    try:
        keys.client_of(key)
    except CredentialsRefused:
        return True
    return False


def test_a_key_names_its_client_and_its_scopes(file: Path) -> None:
    web, router = create_api_key(file, "web", READ), create_api_key(file, "router", [])
    keys = KeyFile(file, Clock())
    assert keys.client_of(web) == Client("key:web", frozenset(READ))
    assert keys.client_of(router) == Client("key:router", frozenset())


def test_any_other_text_is_refused(file: Path) -> None:
    key = create_api_key(file, "web", READ)
    keys = KeyFile(file, Clock())
    for text in ("", "gwk_", key[:-1], f"{key}x", key.upper(), key.removeprefix("gwk_"), "é"):
        assert refuses(keys, text)
    (stored,) = [line for line in file.read_text().split('"') if len(line) == 64]
    assert refuses(keys, stored)


def test_a_malformed_file_stops_the_start(file: Path) -> None:
    file.write_text("{}")
    with pytest.raises(ApiKeysError):
        KeyFile(file, Clock())


def test_a_new_key_counts_and_a_revoked_one_is_refused_a_second_later(file: Path) -> None:
    web, clock = create_api_key(file, "web", READ), Clock()
    keys = KeyFile(file, clock)
    router = create_api_key(file, "router", READ)
    revoke_api_key(file, "web")
    clock.advance(0.9)
    assert not refuses(keys, web)
    assert refuses(keys, router)
    clock.advance(0.1)
    assert refuses(keys, web)
    assert not refuses(keys, router)


def test_the_file_is_looked_at_once_a_second_and_read_only_if_it_changed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, clock = create_api_key(file, "web", READ), Clock()
    keys = KeyFile(file, clock)
    looks: list[str] = []
    look = Path.stat

    def counted(path: Path) -> object:
        looks.append("stat")
        return look(path)

    monkeypatch.setattr(Path, "stat", counted)
    monkeypatch.setattr(Path, "open", lambda *_: looks.append("open"))
    for _ in range(30):
        keys.client_of(key)
        clock.advance(0.1)
    assert looks == ["stat", "stat"]


def test_a_broken_new_file_keeps_the_old_keys_and_is_logged_once(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, clock = create_api_key(file, "web", READ), Clock()
    keys = KeyFile(file, clock)
    good = file.read_bytes()
    file.write_bytes(b"{")
    for _ in range(3):
        clock.advance(1)
        assert not refuses(keys, key)
    file.unlink()
    for _ in range(3):
        clock.advance(1)
        assert not refuses(keys, key)
    broken, gone = [record.getMessage() for record in caplog.records]
    assert broken == (
        "the file of API keys has changed, the keys before it stay: The file has to be made by "
        "`gateway keys create`"
    )
    assert gone.endswith("The file cannot be read: no such file or directory")
    caplog.set_level(logging.INFO)
    file.write_bytes(good.replace(b'"web"', b'"old"'))
    file.chmod(0o600)
    clock.advance(1)
    assert keys.client_of(key).name == "key:old"
    assert caplog.messages[-1] == "the file of API keys has changed: it has 1 keys"


def test_a_file_that_others_may_write_from_now_on_is_refused(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, clock = create_api_key(file, "web", READ), Clock()
    keys = KeyFile(file, clock)
    file.chmod(0o666)
    clock.advance(1)
    assert not refuses(keys, key)
    assert "Other users can write the file" in caplog.text
