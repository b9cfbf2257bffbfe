"""docs/emulator.md names what the emulator has."""

import inspect
from pathlib import Path

import pytest

from gateway.emulator import Fault, create_emulator

PAGE = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("fault", Fault)
def test_fault_is_documented(fault: Fault) -> None:
    assert f"\n| `{fault}` |" in PAGE


@pytest.mark.parametrize("name", [*inspect.signature(create_emulator).parameters][1:])
def test_argument_is_documented(name: str) -> None:
    manners = PAGE.split("### Manners")[1].split("### Faults")[0]
    assert f"`{name}`" in manners
