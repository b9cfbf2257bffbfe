"""Secrets that settings read from files."""

from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError, load_settings, settings_table

SECRET = "s3cr3t-t0k3n"


def settings_of(**variables: str) -> Settings:
    return load_settings({f"GATEWAY_{name}": value for name, value in variables.items()})


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings_of(**variables)
    assert SECRET not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secret"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_token_is_read_from_a_file_without_the_end_of_its_line(end: str, file: Path) -> None:
    file.write_bytes(f"{SECRET}{end}".encode())
    settings = settings_of(STORE_HASH="abc123", ACCESS_TOKEN_FILE=str(file))
    assert settings.access_token is not None
    assert settings.access_token.get_secret_value() == SECRET
    assert SECRET not in settings_table(settings)


def test_the_url_of_redis_is_read_from_a_file(file: Path) -> None:
    file.write_text(f"rediss://:{SECRET}@redis.example.com\n")
    settings = settings_of(REDIS_URL_FILE=str(file))
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value().password == SECRET
    assert SECRET not in settings_table(settings)


@pytest.mark.parametrize("name", ["ACCESS_TOKEN", "REDIS_URL"])
def test_a_secret_and_its_file_are_not_set_both(name: str, file: Path) -> None:
    file.write_text(SECRET)
    assert refusal(**{name: SECRET, f"{name}_FILE": str(file)}) == (
        f"GATEWAY_{name} and GATEWAY_{name}_FILE are both set: set one."
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \n", "The file is empty."),
        (b"\xff", "The file has to be text in UTF-8."),
        (b"x" * 16385, "The file is larger than 16384 bytes."),
        (f"{SECRET}\n{SECRET}\n".encode(), "It has to be one line of visible ASCII characters."),
    ],
)
def test_a_file_without_one_secret_is_refused(content: bytes, sentence: str, file: Path) -> None:
    file.write_bytes(content)
    said = refusal(STORE_HASH="abc123", ACCESS_TOKEN_FILE=str(file))
    assert said == f"GATEWAY_ACCESS_TOKEN_FILE: {sentence}"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for place, reason in ((tmp_path, "is a directory"), (tmp_path / "no", "no such file")):
        said = refusal(STORE_HASH="abc123", ACCESS_TOKEN_FILE=str(place))
        assert said.startswith(f"GATEWAY_ACCESS_TOKEN_FILE: The file cannot be read: {reason}")


def test_half_a_configuration_is_refused_with_a_file_too(file: Path) -> None:
    file.write_text(SECRET)
    assert refusal(ACCESS_TOKEN_FILE=str(file)) == (
        "GATEWAY_ACCESS_TOKEN is set without GATEWAY_STORE_HASH: set both."
    )
