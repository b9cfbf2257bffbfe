"""The house: its map, its floors, the size of its rooms."""

import ast
import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import gateway

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gateway"
FILES = sorted(PACKAGE.rglob("*.py"))
MAP_LINE = re.compile(r"^(\w+) {2,}(\S.*)$", re.MULTILINE)
HOMELESS = {"utils", "common", "core", "helpers", "shared", "services", "base", "misc"}
LONGEST_FILE = 300


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def modules() -> set[str]:
    """The modules and packages that stand directly in `gateway`."""
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return packages | {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}


def contract(name: str) -> dict[str, list[str]]:
    """The values of one contract of .importlinter, split into lines."""
    parser = ConfigParser()
    parser.read(ROOT / ".importlinter")
    section = parser[f"importlinter:contract:{name}"]
    return {key: value.split("\n")[1:] for key, value in section.items()}


def floors() -> list[set[str]]:
    """The floors, roof first."""
    return [set(floor.split(" | ")) for floor in contract("floors")["layers"]]


def sources(name: str) -> set[str]:
    return {module.removeprefix("gateway.") for module in contract(name)["source_modules"]}


def test_the_map_names_every_module_once() -> None:
    named = [name for name, _ in MAP_LINE.findall(gateway.__doc__ or "")]
    assert sorted(named) == sorted(modules())


def test_the_map_goes_from_the_ground_floor_to_the_roof() -> None:
    floor_of = {name: n for n, floor in enumerate(reversed(floors())) for name in floor}
    named = [floor_of[name] for name, _ in MAP_LINE.findall(gateway.__doc__ or "")]
    assert named == sorted(named)


def test_import_contracts_are_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(cache_dir=None)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_import_contracts_hold_for_every_module() -> None:
    knowing = {"app", "cli", "demo", "__main__"}
    assert sources("settings") == modules() - knowing - {"settings"}
    assert sources("emulator-unused") == modules() - knowing - {"emulator", "arguments"}
    forbidden = {
        name.removeprefix("gateway.") for name in contract("emulator-alone")["forbidden_modules"]
    }
    assert forbidden == modules() - knowing - {"emulator"}


def test_every_module_has_a_docstring() -> None:
    assert not [path for path in FILES if not ast.get_docstring(ast.parse(text_of(path)))]


def test_no_module_or_package_has_a_name_that_says_nothing() -> None:
    assert not [path for path in FILES if HOMELESS & {path.stem, path.parent.name}]


def test_no_module_is_too_long() -> None:
    lines = {str(path.relative_to(ROOT)): text_of(path).count("\n") for path in FILES}
    assert {path: n for path, n in lines.items() if n > LONGEST_FILE} == {}
