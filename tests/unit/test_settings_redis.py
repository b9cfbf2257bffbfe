from pathlib import Path

import pytest
from tls_front import CERTIFICATE, KEY

from gateway.settings import SettingsError, load_settings, settings_table

SECRET = "s3cr3t-passw0rd"
NO_URL = (
    "GATEWAY_REDIS_URL: it has to be a URL such as "
    "rediss://user:password@redis.example.com:6379/0; "
    "in a user or password : is %3A, @ is %40 and / is %2F."
)
NO_HOST = (
    "GATEWAY_REDIS_URL: its host has to be a name, an IPv4 address, or an IPv6 one in brackets."
)
NO_PORT = "GATEWAY_REDIS_URL: its port has to be a number from 1 to 65535."
NO_DATABASE = "GATEWAY_REDIS_URL: its path has to be the number of a database, such as /0, or none."
QUERY = (
    "GATEWAY_REDIS_URL: it must not hold a query or a fragment; in a user or password ? is %3F "
    "and # is %23."
)
FOR_TLS = (
    "GATEWAY_REDIS_CA_FILE, GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE are for TLS: "
    "GATEWAY_REDIS_URL has to begin with rediss://."
)
TLS = {"GATEWAY_REDIS_URL": "rediss://redis.example.com"}


def refusal(**environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment)
    assert SECRET not in str(caught.value)
    assert "stranger" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost/",
        "redis://redis:6379/0",
        "rediss://redis.example.com:6380/15",
        "redis://[::1]:6379",
        "redis://10.0.0.1",
        f"redis://:{SECRET}@localhost",
        f"redis://user:{SECRET}@localhost:6379/1",
        "redis://a%40b:p%2Fw%25%C3%A9@localhost",
    ],
)
def test_url_of_redis_is_taken(url: str) -> None:
    settings = load_settings({"GATEWAY_REDIS_URL": url})
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value() == url
    assert url not in settings_table(settings)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("localhost:6379", NO_URL),
        ("http://stranger", NO_URL),
        ("unix:///stranger.sock", NO_URL),
        ("redis://", NO_URL),
        (f"redis://user:{SECRET}/stranger@localhost", NO_URL),
        (f"redis://user:{SECRET}@stranger@localhost", NO_URL),
        (f"redis://user:{SECRET}:stranger@localhost", NO_URL),
        ("redis://stranger é", NO_URL),
        ("redis://localhost:stranger", NO_URL),
        ("redis://stranger!", NO_HOST),
        ("redis://[stranger]", NO_HOST),
        ("redis://localhost:0", NO_PORT),
        ("redis://localhost:65536", NO_PORT),
        ("redis://localhost/stranger", NO_DATABASE),
        ("redis://localhost/0/1", NO_DATABASE),
        (f"redis://:{SECRET}?@localhost", QUERY),
        (f"redis://:{SECRET}#@localhost", QUERY),
        ("rediss://localhost?ssl_cert_reqs=none", QUERY),
        (
            f"redis://:100%{SECRET}@localhost",
            "GATEWAY_REDIS_URL: in a user or password % is %25.",
        ),
        (
            f"redis://{SECRET}@localhost",
            "GATEWAY_REDIS_URL: it holds a user without a password; a password alone is "
            ":password@.",
        ),
    ],
)
def test_url_that_is_none_of_redis_is_refused_without_any_of_it(url: str, sentence: str) -> None:
    assert refusal(GATEWAY_REDIS_URL=url) == sentence


@pytest.mark.parametrize("prefix", ["a:b", "a!", "é", "a" * 65, " ", "a%3A"])
def test_prefix_that_would_change_in_a_key_is_refused(prefix: str) -> None:
    assert refusal(GATEWAY_REDIS_KEY_PREFIX=prefix) == (
        "GATEWAY_REDIS_KEY_PREFIX: it has to be letters, digits, _, . and -, at most 64 of them."
    )


@pytest.mark.parametrize("name", ["CA", "CERTIFICATE", "KEY"])
def test_file_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "stranger"):
        assert refusal(**TLS, **{f"GATEWAY_REDIS_{name}_FILE": str(path)}) == (
            f"GATEWAY_REDIS_{name}_FILE: there is no file that can be read."
        )


def test_tls_files_are_taken_with_rediss() -> None:
    files = {
        "GATEWAY_REDIS_CA_FILE": str(CERTIFICATE),
        "GATEWAY_REDIS_CERTIFICATE_FILE": str(CERTIFICATE),
        "GATEWAY_REDIS_KEY_FILE": str(KEY),
    }
    assert load_settings({**TLS, **files}).redis_key_file == KEY
    for url in ({}, {"GATEWAY_REDIS_URL": "redis://localhost"}):
        for name, path in files.items():
            assert refusal(**url, **{name: path}) == FOR_TLS


def test_key_and_certificate_may_lie_in_one_file(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(KEY.read_bytes() + CERTIFICATE.read_bytes())
    load_settings({**TLS, "GATEWAY_REDIS_CERTIFICATE_FILE": str(both)})


def test_files_that_are_no_certificates_or_no_pair_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "stranger.pem"
    empty.write_text("no PEM")
    assert refusal(**TLS, GATEWAY_REDIS_CA_FILE=str(empty)) == (
        "GATEWAY_REDIS_CA_FILE holds no certificates: it has to be PEM."
    )
    assert refusal(**TLS, GATEWAY_REDIS_CERTIFICATE_FILE=str(CERTIFICATE)) == (
        "GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE are no pair: they have to be "
        "PEM, the key without a password, both in one file or each in its own."
    )
    assert refusal(**TLS, GATEWAY_REDIS_KEY_FILE=str(KEY)) == (
        "GATEWAY_REDIS_KEY_FILE is set without GATEWAY_REDIS_CERTIFICATE_FILE: set both."
    )
