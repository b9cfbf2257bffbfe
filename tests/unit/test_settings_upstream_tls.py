from pathlib import Path

import pytest
from tls_front import CERTIFICATE, KEY

from gateway.settings import SettingsError, load_settings

STORE = {"GATEWAY_STORE_HASH": "abc123", "GATEWAY_ACCESS_TOKEN": "t0k3n"}


def refusal(path: Path, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings({**environment, "GATEWAY_UPSTREAM_CA_FILE": str(path)})
    assert "stranger" not in str(caught.value)
    return str(caught.value)


def test_certificates_of_the_upstream_are_taken_with_https(tmp_path: Path) -> None:
    two = tmp_path / "two.pem"
    two.write_text(f"two of a company\n{CERTIFICATE.read_text()}\n{CERTIFICATE.read_text()}")
    for path in (CERTIFICATE, two):
        environment = {**STORE, "GATEWAY_UPSTREAM_CA_FILE": str(path)}
        assert load_settings(environment).upstream_ca_file == path


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "stranger"):
        assert refusal(path, **STORE) == (
            "GATEWAY_UPSTREAM_CA_FILE: there is no file that can be read."
        )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"stranger",
        KEY.read_bytes(),
        CERTIFICATE.read_bytes()[:200],
        CERTIFICATE.read_bytes().replace(b"M", b"-"),
        bytes(range(256)),
    ],
    ids=["nothing", "text", "a key", "half", "no Base64", "bytes"],
)
def test_file_without_certificates_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "stranger.pem"
    path.write_bytes(content)
    assert refusal(path, **STORE) == (
        "GATEWAY_UPSTREAM_CA_FILE holds no certificates: it has to be PEM."
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "HTTP://localhost"])
def test_certificates_for_plain_http_are_refused(url: str) -> None:
    assert refusal(CERTIFICATE, **STORE, GATEWAY_UPSTREAM_URL=url) == (
        "GATEWAY_UPSTREAM_CA_FILE is for TLS: GATEWAY_UPSTREAM_URL has to begin with https://."
    )


def test_certificates_for_the_emulator_are_refused() -> None:
    assert refusal(CERTIFICATE) == (
        "GATEWAY_UPSTREAM_CA_FILE is set without GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN: "
        "set all three, or none to run on the emulator."
    )
