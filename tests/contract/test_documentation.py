"""The documentation, against the program: what is said is there, and what is there is said."""

import argparse
import asyncio
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from pydantic import SecretStr

from benchmarks.rivals.tasks import TASKS
from gateway.app import create_app
from gateway.arguments import create_parser
from gateway.cli import main
from gateway.errors import ErrorCode
from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "examples" / "clients").glob("*/README.md"),
    ROOT / "examples" / "federation" / "README.md",
    ROOT / "graphiql" / "README.md",
    ROOT / "tests" / "contract" / "data" / "README.md",
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Words of our own where the field has one. A phrase may be broken between two lines of a comment.
ODD_WORDS = re.compile(
    r"\b(whoever|nobody|told|so[\s#]+many|of[\s#]+use|what[\s#]+speaks[\s#]+against|it[\s#]+has[\s#]+to[\s#]+do)\b",
    re.IGNORECASE,
)
COMMAND_LINE = re.compile(
    r"^(?:\S*/)?gateway ((?:serve|emulator|schema|settings|check|keys|demo|completion)\b.*)",
    re.MULTILINE,
)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# What no reader elsewhere can follow: somebody's folders, the numbers of a tracker.
PRIVATE = re.compile(r"(?:file://|(?<![\w.]))/(?:root|home|Users)/|\b[Ii]ssues? #?\d|\B#\d+\b")
# Hashes say what is installed; where it comes from is the machine's business.
LOCKS = [*ROOT.glob("requirements/*"), *ROOT.glob("**/package-lock.json"), ROOT / "Makefile"]
ADDRESS = re.compile(
    r'"resolved"|--(?:extra-)?index-url|--find-links|^\w.*://(?!127\.)', re.MULTILINE
)
SOURCES = [
    path
    for pattern in (
        "gateway/**/*.py",
        "tests/**/*.py",
        "benchmarks/**/*.py",
        "deploy/kubernetes/**/*",
        "examples/*/*",
        "examples/clients/*/*.*",
        "examples/clients/*/src/*.*",
        "examples/federation/*/*.mjs",
        "examples/federation/routers/*/*.mjs",
        "graphiql/src/*",
        "requirements/*",
        "docs/**/*.md",
        ".ci/*",
        "*.md",
        "*.graphql",
        "llms.txt",
    )
    for path in ROOT.glob(pattern)
    if path.is_file()
] + [ROOT / name for name in ("Makefile", "Dockerfile", "docker-compose.yml", "pyproject.toml")]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def by_path(
    paths: Iterable[Path], find: Callable[[Path, str], Iterable[str]]
) -> dict[str, list[str]]:
    """What is found in the text of each of these files; those without a find are left out."""
    found = {path: [*find(path, path.read_text(encoding="utf-8"))] for path in paths}
    return {str(path.relative_to(ROOT)): finds for path, finds in found.items() if finds}


def shown(default: object) -> str:
    assert not isinstance(default, SecretStr)
    if default is None:
        return "not set"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def anchors(text: str) -> set[str]:
    return {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in HEADING.findall(text)}


def commands() -> Iterable[tuple[str, argparse.ArgumentParser]]:
    """Each command with its parser."""
    for action in create_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def test_the_table_of_settings_is_the_program_s() -> None:
    rows = [line for line in page("docs/settings.md").splitlines() if line.startswith("| `GATEWAY")]
    assert rows[: len(Settings.model_fields)] == [
        f"| `GATEWAY_{field.upper()}` | {shown(knob.default)} | {knob.description} |"
        for field, knob in Settings.model_fields.items()
    ]


def test_every_variable_that_is_named_is_a_setting() -> None:
    known = {"GATEWAY_"} | {"GATEWAY_" + field.upper() for field in Settings.model_fields}
    # Kubernetes sets these; settings.md names them.
    known |= {"GATEWAY_SERVICE_HOST", "GATEWAY_PORT", "GATEWAY_REDIS_PORT_6379_TCP_ADDR"}
    named = re.compile(r"\bGATEWAY_\w*\w")
    assert by_path(PAGES, lambda _, text: {*named.findall(text)} - known) == {}


def test_every_error_code_has_its_row_in_order() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", page("docs/errors.md"), re.MULTILINE)
    assert rows == [code.value for code in ErrorCode]


def test_every_command_has_its_row_in_order() -> None:
    rows = re.findall(r"^\| `gateway (\w+)` \|", page("docs/deployment.md"), re.MULTILINE)
    assert rows == [name for name, _ in commands()]


def test_every_option_of_the_emulator_is_named() -> None:
    options = {o for a in dict(commands())["emulator"]._actions for o in a.option_strings}
    assert {o for o in options if f"`{o}`" not in page("docs/emulator.md")} == {"-h", "--help"}


def test_command_lines_that_are_shown_are_understood() -> None:
    parser = create_parser()

    def misunderstood(_: Path, text: str) -> Iterator[str]:
        shell = "".join(re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
        for line in COMMAND_LINE.findall(shell):
            try:
                parser.parse_args(shlex.split(line.partition(" > ")[0], comments=True))
            except SystemExit:
                yield line

    assert by_path(PAGES, misunderstood) == {}


REFUSED_STARTS: list[tuple[list[str], dict[str, str]]] = [
    (["serve", "--host", "0.0.0.0", "--port", "0"], {}),
    (["serve", "--port", "0"], {"STORE_HASH": "abc123", "ACCESS_TOKEN": "t0k3n"}),
    (["emulator", "--control", "--host", "0.0.0.0", "--port", "0"], {}),
    (["serve"], {"REDIS_URL": "redis://:s3cr3t@redis.example.com"}),
    (["serve"], {"JWT_JWKS_URL": "https://id.example.com/keys", "JWT_AUDIENCE": "segments"}),
    (["serve"], {"JWT_ALGORITHMS": "HS256"}),
    (["serve"], {"API_KEYS_FILE": "keys.json"}),
]


def test_starts_that_are_refused_have_the_sentence_that_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys.json").touch(0o600)
    (tmp_path / "keys.json").chmod(0o666)
    table = (
        page("docs/security.md").partition("### Starts that are refused")[2].partition("\n### ")[0]
    )
    sentences = re.findall(r"^\| .+ \| (.+\.) \|$", table, re.MULTILINE)
    said = []
    for argv, variables in REFUSED_STARTS:
        environment = {f"GATEWAY_{name}": value for name, value in variables.items()}
        monkeypatch.setattr("os.environ", environment)
        assert main(argv) == 2
        said.append(capsys.readouterr().err.removeprefix("gateway: ").strip())
    assert sentences == said


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))
    named = re.compile(r"(?:`|^)make ([a-z-]+)", re.MULTILINE)
    assert by_path(PAGES, lambda _, text: {*named.findall(text)} - targets) == {}


def test_links_lead_somewhere() -> None:
    def broken(path: Path, text: str) -> Iterator[str]:
        for target in LINK.findall(text):
            file, _, anchor = target.partition("#")
            linked = path.parent / file if file else path
            if target.startswith("https://"):
                continue
            if not linked.exists() or (
                anchor and anchor not in anchors(linked.read_text(encoding="utf-8"))
            ):
                yield target

    assert by_path(PAGES, broken) == {}


def test_tests_that_pages_name_are_there() -> None:
    named = re.compile(r"`(tests/[\w/.-]+)`")
    found = by_path(
        PAGES, lambda _, text: (n for n in named.findall(text) if not (ROOT / n).exists())
    )
    assert found == {}
    assert len(set(named.findall(page("SECURITY.md")))) > 10


def test_pages_that_messages_name_are_there() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("gateway/web/*.py"))
    named = set(re.findall(r"(docs/\w+\.md)#([\w-]+)", sources))
    assert ("docs/http.md", "calls-from-other-sites") in named
    for name, anchor in named:
        assert anchor in anchors(page(name))


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        links = [link.partition("#")[0] for link in LINK.findall(path.read_text(encoding="utf-8"))]
        waiting += [(path.parent / link).resolve() for link in links if "://" not in link]
    assert set((ROOT / "docs").glob("*.md")) <= reached


def test_numbers_of_the_readme_and_its_drawing_are_those_of_the_measurement() -> None:
    table = page("docs/why.md").partition("<!-- rivals -->")[2].partition("<!-- /rivals -->")[0]
    rows = re.findall(r"^\| (.+?) \| (\d+) .* (\d+) \|$", table, re.MULTILINE)
    assert [name for name, _, _ in rows] == [task.name for task in TASKS]
    walk, crowd, _, lookups = [(asked, sent) for _, asked, sent in rows[:4]]
    measured = re.compile(r"^\| .+ \| (\d+) \| (?:at most )?(\d+) \| `tests/", re.MULTILINE)
    assert measured.findall(page("README.md")) == [walk, crowd, lookups]
    drawn = re.findall(r'class="number".*>(\d+)<', page("docs/images/requests.svg"))
    assert drawn == [*crowd, *walk, *lookups]


def test_every_page_stands_in_the_index() -> None:
    linked = {link.partition("#")[0] for link in LINK.findall(page("docs/index.md"))}
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - linked == {"index.md"}


def test_llms_txt_names_every_page_by_its_title() -> None:
    # https://llmstxt.org: a title, a quotation, then lists of links with a line about each.
    text = page("llms.txt")
    assert text.startswith("# ")
    assert text.split("\n\n")[1].startswith("> ")
    sections = text.partition("\n## ")[2]
    entry = re.compile(r"- \[([^\]]+)\]\(([^)\s]+)\): \S.*")
    listed = [entry.fullmatch(line) for line in sections.splitlines() if line.startswith("-")]
    assert None not in listed
    titles = {match[2]: match[1] for match in listed if match}
    assert len(titles) == len(listed)
    assert {name for name in titles if not (ROOT / name).is_file()} == set()
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} | {"README.md"}
    assert pages - titles.keys() == set()
    for name in pages:
        assert page(name).startswith(f"# {titles[name]}\n")


def test_decisions_are_numbered_without_gaps() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [int(path.name.partition("-")[0]) for path in files]
    assert numbers == list(range(1, len(files) + 1))
    titles = [path.read_text(encoding="utf-8").partition(".")[0] for path in files]
    assert titles == [f"# {number}" for number in numbers]


def test_the_index_of_decisions_has_the_title_and_status_of_each() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    rows = []
    for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        heading, status = path.read_text(encoding="utf-8").split("\n\n")[:2]
        title = heading.partition(". ")[2]
        rows.append(f"| [{path.name[:4]}]({path.name}) {title} | {' '.join(status.split())} |")
    assert [line for line in index.splitlines() if line.startswith("| [")] == rows


def test_nothing_names_a_private_place() -> None:
    others = [path for path in SOURCES if path != Path(__file__)]
    assert by_path(others, lambda _, text: PRIVATE.findall(text)) == {}


def test_code_and_pages_are_in_plain_words() -> None:
    written = [path for path in PAGES if path.name != "CHANGELOG.md"]
    found = by_path(
        [*ROOT.glob("gateway/**/*.py"), *written], lambda _, text: ODD_WORDS.findall(text)
    )
    assert found == {}


def test_lock_files_name_no_registry() -> None:
    locks = [path for path in LOCKS if "node_modules" not in path.parts]
    assert len(locks) > 6
    assert by_path(locks, lambda _, text: ADDRESS.findall(text)) == {}


async def answer_to(body: str, accept: str = "application/json") -> str:
    """The answer of a gateway on the emulator to a POST of this body."""
    app = create_app(Settings())
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        headers = {"Content-Type": "application/json", "Accept": accept}
        answered = await http.post("/graphql", content=body, headers=headers)
    return answered.text


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)


def test_code_generators_get_the_type_of_each_scalar() -> None:
    (codegen,) = blocks("docs/clients.md", "yaml")
    (generated,) = yaml.safe_load(codegen)["generates"].values()
    scalars = re.findall(r"^scalar (\w+)", page("api.graphql"), re.MULTILINE)
    assert generated["config"]["scalars"] == dict.fromkeys(scalars, "string")


async def test_queries_for_clients_give_the_data_that_is_shown() -> None:
    answered = r"^```graphql\n([^`]+)^```\n\n```json\n([^`]+)^```$"
    queries = re.findall(answered, page("docs/clients.md"), re.MULTILINE)
    assert len(queries) == len(blocks("docs/clients.md", "json"))
    paths = []
    for query, shown in queries:
        answer = json.loads(await answer_to(json.dumps({"query": query})))
        assert json.dumps(answer["data"], indent=2, ensure_ascii=False) == shown.strip()
        paths += [error["path"] for error in answer.get("errors", ())]
    assert paths == [["segmentsByEntityId", 0]]


NOT_OFFERED: dict[str, tuple[object, str]] = {
    "`@defer`": ({"query": "{ ... @defer { segments { totalCount } } }"}, "*/*"),
    "`@stream`": ({"query": "{ segments { nodes @stream { id } } }"}, "*/*"),
    "a subscription": ({"query": "subscription { segments { totalCount } }"}, "*/*"),
    "a stream, by `Accept: text/event-stream` alone": (
        {"query": "subscription { segments { totalCount } }"},
        "text/event-stream, multipart/mixed",
    ),
    "a batch": ([{"query": "{ segments { totalCount } }"}], "*/*"),
}


async def test_what_is_not_offered_has_the_error_that_is_shown() -> None:
    table = page("docs/clients.md").partition("## What is not offered")[2]
    shown_errors = dict(re.findall(r"^\| (.+) \| `+ ?(.+?)(?: …)? ?`+ \|$", table, re.MULTILINE))
    assert list(shown_errors) == list(NOT_OFFERED)
    for asked, (body, accept) in NOT_OFFERED.items():
        (error,) = json.loads(await answer_to(json.dumps(body), accept))["errors"]
        assert error["message"].startswith(shown_errors[asked])


async def test_the_document_that_is_named_in_the_path_is_the_one_that_was_stored() -> None:
    (shell,) = [block for block in blocks("docs/http.md", "sh") if block.startswith("hash=")]
    (sha256_hex,) = re.findall("^hash=(.*)$", shell, re.MULTILINE)
    (body,) = re.findall("-d '(.*)'$", shell, re.MULTILINE | re.DOTALL)
    answer = json.loads(await answer_to(body.replace("'$hash'", sha256_hex)))
    assert answer["data"] == {"segments": {"totalCount": 120}}


def test_the_readme_s_query_gives_the_answer_that_it_shows() -> None:
    shell, answer = re.findall(r"^```(?:sh|json)\n(.*?)^```", page("README.md"), re.M | re.S)[1:3]
    ((body, shown_by),) = re.findall(r"-d '(.*)' \| python3 (.*)$", shell, re.S)
    seen = subprocess.run(
        [sys.executable, *shown_by.split()],
        input=asyncio.run(answer_to(body)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout == answer
