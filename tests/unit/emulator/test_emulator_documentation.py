"""docs/emulator.md names what the emulator has, and shows what it answers."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Mount, Route

from gateway.emulator import Fault, create_emulator, seeded_store
from gateway.emulator.control import BehaviourChange
from gateway.emulator.operation_names import OPERATION_NAMES, OperationName

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


@pytest.mark.parametrize("name", OPERATION_NAMES)
def test_operation_is_documented(name: OperationName) -> None:
    assert f"\n| `{name}` |" in PAGE


@pytest.mark.parametrize("name", [*inspect.signature(create_emulator).parameters][1:])
def test_argument_is_documented(name: str) -> None:
    behaviour = PAGE.split("### Behaviour")[1].split("### Faults")[0]
    assert f"`{name}`" in behaviour


async def test_control_answers_as_is_shown() -> None:
    requests, rules, behaviour = (
        json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.M | re.S)
    )
    app = create_emulator(seeded_store(), rate_limit_quota=3, control=True)
    token = {"X-Auth-Token": "emulator-token"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        app.state.emulator.faults.add(Fault.RESET)
        with pytest.raises(ConnectionResetError):
            await client.get("/stores/emulator/v3/segments", headers=token)
        for path in ("/", *["/stores/emulator/v3/segments"] * 3):
            await client.get(path, headers=token)
        assert (await client.get("/_emulator/requests")).json() == requests
        assert (await client.put("/_emulator/faults", json=rules)).status_code == 204
        assert (await client.patch("/_emulator/behaviour", json=behaviour)).status_code == 204
    assert behaviour.keys() == {*BehaviourChange.__struct_fields__}


async def test_commands_to_the_control_work() -> None:
    app = create_emulator(seeded_store(), control=True)
    transport = httpx.ASGITransport(app)
    commands = re.findall(r"^curl -X (\w+) http://127.0.0.1:8001(\S+) -d '(.*)'$", PAGE, re.M)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        answers = [await client.request(m, path, content=body) for m, path, body in commands]
    assert [answer.status_code for answer in answers] == [204, 204, 201]


def test_every_route_of_the_control_is_named() -> None:
    (mount, _) = create_emulator(seeded_store(0), control=True).routes
    assert isinstance(mount, Mount)
    paths = {f"/_emulator{route.path}" for route in mount.routes if isinstance(route, Route)}
    assert len(paths) == 6
    assert {path for path in paths if f" {path}`" not in PAGE} == set()
