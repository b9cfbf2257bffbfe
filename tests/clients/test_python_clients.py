"""examples/clients/python: what its programs print, what they cost, and what is generated."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import pytest
from processes import TOKEN, emulator_on_a_port, serving
from starlette.types import Receive, Scope, Send

from gateway.app import create_app
from gateway.emulator import Emulator
from gateway.settings import load_settings

ROOT = Path(__file__).parents[2]
APP = ROOT / "examples" / "clients" / "python"
GENERATOR = ROOT / "build" / "codegen" / "bin" / "ariadne-codegen"
PATIENCE_SECONDS = 60


@dataclass
class Counted:
    """The address of a gateway, its store, and the number of requests by path."""

    emulator: Emulator
    url: str = ""
    requests: Counter[str] = field(default_factory=Counter)


@pytest.fixture
def gateway() -> Iterator[Counted]:
    with emulator_on_a_port(90) as (upstream, emulator):
        counted = Counted(emulator)
        settings = {
            "GATEWAY_STORE_HASH": "emulator",
            "GATEWAY_ACCESS_TOKEN": TOKEN,
            "GATEWAY_UPSTREAM_URL": upstream,
        }
        app = create_app(load_settings(settings))

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                counted.requests[scope["path"]] += 1
            await app(scope, receive, send)

        with serving(counting) as counted.url:
            yield counted


@pytest.mark.parametrize(
    ("program", "name", "when"),
    [
        ("with_gql.py", "gql", "20??-??-??T??:??:??.???Z"),
        ("with_codegen.py", "ariadne-codegen", "20??-??-??"),
    ],
)
def test_program_walks_looks_up_and_changes(
    program: str, name: str, when: str, gateway: Counted
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", APP / program, f"{gateway.url}/graphql"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.stderr == ""
    *lines, created, refused, refetched, deleted = done.stdout.splitlines()
    assert lines == [
        "forward: 90 from VIP customers to Discount seekers – Texas",
        "backward: 90 from Discount seekers – Texas to VIP customers",
        "filtered: VIP customers, VIP customers – US West, VIP customers – US East, "
        "VIP customers – Midwest, VIP customers – Texas",
    ]
    assert Path(created).match(f"created: Made by {name} at {when}")
    assert refused == "refused: The store has a segment with this name: choose another."
    assert refetched == f"refetched: Renamed by {name}, An example"
    assert deleted == "deleted: None"
    # 3 pages each way, 3 that are filtered, 4 mutations, 2 lookups.
    assert gateway.requests == {"/graphql": 15}
    assert gateway.emulator.requests == {
        "list_segments": 1,
        "create_segments": 2,
        "update_segments": 1,
        "delete_segments": 1,
    }


def test_committed_client_is_what_is_generated(tmp_path: Path) -> None:
    if not GENERATOR.is_file():
        pytest.skip("`make codegen` installs the generator of Python clients.")
    folder = tmp_path / APP.relative_to(ROOT)
    folder.mkdir(parents=True)
    for source in (ROOT / "api.graphql", APP / "pyproject.toml", APP / "queries.graphql"):
        shutil.copy(source, tmp_path / source.relative_to(ROOT))
    subprocess.run(
        [GENERATOR], cwd=folder, capture_output=True, check=True, timeout=PATIENCE_SECONDS
    )

    def code(of: Path) -> dict[str, str]:
        return {path.name: path.read_text(encoding="utf-8") for path in of.glob("*.py")}

    assert code(APP / "generated") == code(folder / "generated"), "`make codegen` writes it anew"


def test_packages_are_those_that_are_pinned() -> None:
    pins = "".join(
        (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for name in ("run", "test")
    )
    installed = {name: version(name) for name in ("gql", "httpx", "pydantic")}
    print(installed)
    assert {n: v for n, v in installed.items() if f"{n}=={v} " not in pins} == {}
