"""The Dockerfile's facts that users and operators rely on, and the wheel that its image runs."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from gateway.arguments import Arguments, create_parser
from gateway.schema import build_graph

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
PAGE = "gateway/web/static/graphiql/index.html"


class Step(NamedTuple):
    """One instruction of the Dockerfile."""

    instruction: str
    argument: str


STEPS = [Step(*step) for step in re.findall(r"^([A-Z]+) +(.+)$", TEXT, re.MULTILINE)]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def arguments_of(instruction: str) -> list[str]:
    return [step.argument for step in STEPS if step.instruction == instruction]


def only(instruction: str) -> str:
    (argument,) = arguments_of(instruction)
    return argument


# The arguments before the first stage name the base images.
BASES = [
    argument for argument in arguments_of("ARG") if argument.partition("=")[0].endswith("_IMAGE")
]


def test_every_base_image_is_pinned_to_a_version() -> None:
    images = dict(argument.split("=") for argument in BASES)
    bases = {argument.partition(" AS ")[0] for argument in arguments_of("FROM")}
    # An operator can give each by digest.
    assert bases == {f"${{{name}}}" for name in images}
    assert [image for image in images.values() if not re.search(r":\d[\w.-]*$", image)] == []
    # What is in force for `FROM` stands before the first one.
    assert [step.instruction for step in STEPS[:3]] == ["ARG", "ARG", "FROM"]


def test_the_documentation_names_each_base_image_and_its_argument() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    for argument in BASES:
        name, _, image = argument.partition("=")
        assert f"imagetools inspect {image} " in page
        assert f"--build-arg {name}={image}@sha256:…" in page


def test_everything_copied_exists_and_is_sent_to_the_engine() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    from_here = [a.split()[:-1] for a in arguments_of("COPY") if not a.startswith("--from")]
    copied = {source.rstrip("/") for sources in from_here for source in sources}
    assert {source for source in copied if not (ROOT / source).exists()} == set()
    inside_graphiql = {source for source in copied if source.startswith("graphiql/")}
    assert copied - inside_graphiql == allowed


def test_the_page_is_copied_from_where_its_build_writes_it() -> None:
    folder = PAGE.removesuffix("index.html")
    assert f"--from=graphiql /src/{folder} {folder}" in arguments_of("COPY")
    assert folder.rstrip("/") in (ROOT / "graphiql" / "vite.config.js").read_text(encoding="utf-8")


def test_the_image_does_not_run_as_root() -> None:
    assert only("USER") == "10001:10001"


def test_the_image_has_the_byte_code_of_all_that_a_start_imports() -> None:
    compiled = [a for a in arguments_of("RUN") if "compileall" in a]
    assert [a.count("--invalidation-mode unchecked-hash") for a in compiled] == [1, 1]
    assert compiled[0].endswith(" /opt/gateway/lib")
    assert 'sysconfig.get_path("stdlib")' in compiled[1]
    assert "--no-compile" not in TEXT


def test_the_image_has_all_that_is_pinned_for_the_gateway_with_traces() -> None:
    installed = [a for a in arguments_of("RUN") if "--python /opt/gateway/bin/python" in a]
    assert installed[0].endswith(" --require-hashes -r requirements/otel.txt")
    otel, run = (set(pins(name)) for name in ("otel.txt", "run.txt"))
    assert run < otel
    assert {name for name, _ in otel - run} >= {"opentelemetry-sdk"}


def pins(name: str) -> list[tuple[str, str]]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)


def test_labels_are_the_project_s_and_come_last() -> None:
    assert [step.instruction for step in STEPS[-3:]] == ["ARG", "ARG", "LABEL"]
    given = dict(argument.split("=") for argument in arguments_of("ARG")[-2:])
    assert given == {"VERSION": PROJECT["version"], "REVISION": "unknown"}
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="(.*?)"', only("LABEL")))
    assert labels == {
        "title": PROJECT["name"],
        "description": PROJECT["description"],
        "licenses": PROJECT["license"],
        "version": "${VERSION}",
        "revision": "${REVISION}",
    }


def test_the_image_s_command_line_serves_on_the_exposed_port() -> None:
    assert json.loads(only("ENTRYPOINT")) == ["gateway"]
    parsed = create_parser().parse_args(json.loads(only("CMD")), namespace=Arguments())
    assert (parsed.command, parsed.host) == ("serve", "0.0.0.0")
    assert str(parsed.port) == only("EXPOSE")


def test_the_image_s_health_check_requests_liveness() -> None:
    command = json.loads(only("HEALTHCHECK").partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    assert f"http://127.0.0.1:{only('EXPOSE')}/health/live" in command[2]


def test_the_wheel_has_every_file_and_its_program_runs(tmp_path: Path) -> None:
    build = next(argument for argument in arguments_of("RUN") if "hatchling build" in argument)
    command = [sys.executable, *build.split()[1:], "--directory", str(tmp_path / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    installed = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    offline = ["--quiet", "--no-index", "--no-deps", "--target", str(installed)]
    subprocess.run([*pip, *offline, str(wheel)], check=True, capture_output=True)

    sources = {path.relative_to(ROOT) for path in (ROOT / "gateway").rglob("*.py")}
    assert {path for path in sources if not (installed / path).is_file()} == set()
    assert (installed / PAGE).is_file() == (ROOT / PAGE).is_file()
    printed = subprocess.run(
        [installed / "bin" / "gateway", "schema"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(installed)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == build_graph().sdl
