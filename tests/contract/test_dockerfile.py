"""The Dockerfile: its steps, carried out without an engine, in a folder of their own."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.arguments import Arguments, create_parser
from gateway.schema import build_graph

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
NO_NETWORK = re.compile("NewConnectionError|Name or service not known|EAI_AGAIN|Max retries")


class Step(NamedTuple):
    """One instruction, with the stage that it stands in."""

    stage: str
    instruction: str
    argument: str


def steps() -> Iterator[Step]:
    stage = ""
    lines = "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))
    for line in lines.replace("\\\n", " ").splitlines():
        if line.strip():
            instruction, argument = line.split(maxsplit=1)
            if instruction == "FROM":
                stage = argument.partition(" AS ")[2]
            yield Step(stage, instruction, argument)


def final(instruction: str) -> str:
    """The argument of an instruction of the image that is kept."""
    (found,) = [s.argument for s in steps() if (s.stage, s.instruction) == ("", instruction)]
    return found


class Stage:
    """Carries out the instructions of one stage below a folder that stands for its file system."""

    def __init__(self, root: Path, others: Mapping[str, "Stage"]) -> None:
        self.root = root
        self.folder = root
        self.others = others
        (root / "opt").mkdir(parents=True)
        # In place of the image's own interpreter, where `python -m pip` installs.
        subprocess.run([sys.executable, "-m", "venv", root / "python"], check=True)
        self.environment = {
            **os.environ,
            "PATH": f"{root}/python/bin{os.pathsep}{os.environ['PATH']}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def workdir(self, argument: str) -> None:
        self.folder = self.root / argument.removeprefix("/")
        self.folder.mkdir(parents=True, exist_ok=True)

    def copy(self, argument: str) -> None:
        *sources, target = argument.split()
        origin = ROOT
        if sources[0].startswith("--from="):
            origin = self.others[sources[0].removeprefix("--from=")].root
            sources = [source.removeprefix("/") for source in sources[1:]]
        for source in sources:
            path, to = origin / source, self.folder / target
            if path.is_dir():
                ignored = ("node_modules", "__pycache__", "static") if origin == ROOT else ()
                ignore = shutil.ignore_patterns(*ignored)
                shutil.copytree(path, to, ignore=ignore, dirs_exist_ok=True)
            else:
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, to)

    def run(self, argument: str) -> None:
        command = argument.replace("/opt/", f"{self.root}/opt/")
        done = subprocess.run(
            command,
            shell=True,  # as the engine does
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 and NO_NETWORK.search(done.stderr):
            pytest.skip("The registries cannot be reached, so nothing can be installed.")
        assert done.returncode == 0, f"{argument}\n{done.stdout}{done.stderr}"


@pytest.mark.skipif(shutil.which("npm") is None, reason="GraphiQL's stage needs Node.js and npm.")
def test_install_steps_make_a_gateway_that_runs(tmp_path: Path) -> None:
    stages: dict[str, Stage] = {}
    for name, instruction, argument in steps():
        if name and instruction == "FROM":
            stages[name] = Stage(tmp_path / name, stages)
        elif name:
            getattr(stages[name], instruction.lower())(argument)
    environment = tmp_path / "build" / "opt" / "gateway"
    (program,) = json.loads(final("ENTRYPOINT"))
    gateway = environment / "bin" / program
    printed = subprocess.run(
        [gateway, "schema"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert printed.stdout == build_graph().sdl
    (package,) = environment.glob("lib/python*/site-packages/gateway")
    assert (package / "web" / "static" / "graphiql" / "index.html").is_file()
    assert not (gateway.parent / "pip").exists()


def test_the_image_s_command_line_is_understood() -> None:
    assert json.loads(final("ENTRYPOINT")) == ["gateway"]
    parsed = create_parser().parse_args(json.loads(final("CMD")), namespace=Arguments())
    assert (parsed.command, parsed.host) == ("serve", "0.0.0.0")
    assert str(parsed.port) == final("EXPOSE")


def test_the_image_does_not_run_as_root() -> None:
    assert final("USER") == "10001:10001"


def test_the_image_s_health_check_asks_whether_the_gateway_lives() -> None:
    command = json.loads(final("HEALTHCHECK").partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    assert f"http://127.0.0.1:{final('EXPOSE')}/health/live" in command[2]


def test_all_that_is_copied_is_sent_to_the_engine() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {
        source.rstrip("/")
        for step in steps()
        if step.instruction == "COPY" and not step.argument.startswith("--from")
        for source in step.argument.split()[:-1]
    }
    assert all((ROOT / source).exists() for source in copied)
    assert {source for source in copied if not source.startswith("graphiql/")} | {
        "graphiql"
    } == allowed
