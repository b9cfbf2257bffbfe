"""The application, and the manifest of trusted documents that it reads at its start."""

from pathlib import Path

import pytest

from gateway.app import app_from_environment, create_app
from gateway.settings import SettingsError, load_settings


def test_manifest_that_has_gone_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text("{}", encoding="utf-8")
    settings = load_settings({"GATEWAY_TRUSTED_DOCUMENTS_FILE": str(file)})
    file.unlink()
    with pytest.raises(SettingsError) as caught:
        create_app(settings)
    assert str(caught.value) == "GATEWAY_TRUSTED_DOCUMENTS_FILE: No such file or directory."


def test_worker_with_a_manifest_that_cannot_be_used_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "manifest.json"
    file.write_text('{"list": "{"}', encoding="utf-8")
    monkeypatch.setenv("GATEWAY_TRUSTED_DOCUMENTS_FILE", str(file))
    with pytest.raises(SystemExit) as ended:
        app_from_environment()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(
        " ERROR   gateway.app.application: this worker cannot start: "
        "GATEWAY_TRUSTED_DOCUMENTS_FILE: the document 'list': "
        "Syntax Error: Expected Name, found <EOF>."
    )


def test_worker_with_a_manifest_that_fits_has_an_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "manifest.json"
    file.write_text('{"list": "{ __typename }"}', encoding="utf-8")
    monkeypatch.setenv("GATEWAY_TRUSTED_DOCUMENTS_FILE", str(file))
    assert app_from_environment().state.services.redis is None
