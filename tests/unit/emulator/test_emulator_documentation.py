"""docs/emulator.md names what the emulator has."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.emulator import Fault, create_emulator

PAGE = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("fault", Fault)
def test_fault_is_documented(fault: Fault) -> None:
    assert f"\n| `{fault}` |" in PAGE


async def test_snippet_does_what_it_says() -> None:
    (snippet,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)
    async with names["client"] as client:
        client.headers["X-Auth-Token"] = "emulator-token"
        right, cut = [await client.get("/stores/emulator/v3/segments") for _ in range(2)]
    assert right.json()["meta"]["pagination"]["total"] == 999
    assert len(cut.content) == len(right.content) // 2
    assert names["app"].state.emulator.requests == {"list_segments": 2}


@pytest.mark.parametrize("name", [*inspect.signature(create_emulator).parameters][1:])
def test_argument_is_documented(name: str) -> None:
    manners = PAGE.split("### Manners")[1].split("### Faults")[0]
    assert f"`{name}`" in manners
