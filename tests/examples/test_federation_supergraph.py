"""The supergraph of the larger graph: what the composer makes of its subgraphs."""

import subprocess
from pathlib import Path

import yaml
from npm_tools import needs

EXAMPLE = Path(__file__).parents[2] / "examples" / "federation"
COMPOSER = EXAMPLE / "composer"

pytestmark = needs(COMPOSER)


def composed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", COMPOSER / "compose.mjs", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_supergraph_is_what_the_composer_makes() -> None:
    made = composed(str(EXAMPLE / "subgraphs.yaml"), "-")
    assert made.stderr == ""
    committed = (EXAMPLE / "supergraph.graphql").read_text(encoding="utf-8")
    assert made.stdout == committed, "run `make supergraph` and look at what changed"


def test_subgraphs_that_do_not_fit_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    graph = yaml.safe_load((EXAMPLE / "subgraphs.yaml").read_text(encoding="utf-8"))
    for name, subgraph in graph["subgraphs"].items():
        sdl = (EXAMPLE / subgraph["schema"]["file"]).read_text(encoding="utf-8")
        if name == "promotions":
            sdl = sdl.replace("type PageInfo @shareable", "type PageInfo")
        (tmp_path / f"{name}.graphql").write_text(sdl, encoding="utf-8")
        subgraph["schema"]["file"] = f"{name}.graphql"
    source = tmp_path / "subgraphs.yaml"
    source.write_text(yaml.safe_dump(graph), encoding="utf-8")
    made = composed(str(source), str(tmp_path / "supergraph.graphql"))
    assert made.returncode == 1
    assert "INVALID_FIELD_SHARING: " in made.stderr
    assert not (tmp_path / "supergraph.graphql").exists()
