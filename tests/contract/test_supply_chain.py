"""What is installed: past the known advisories, and looked up by `make audit`."""

import json
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import audit
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
# The first version without a known advisory, and the last advisory before it.
FLOORS = {
    "cryptography": ("50.0.0", "CVE-2026-69247"),
    "graphql-core": ("3.3.0", "CVE-2026-75508"),
    "h11": ("0.16.0", "CVE-2025-43859"),
    "httptools": ("0.6.0", "CVE-2023-30589"),
    "httpx": ("0.23.0", "CVE-2021-41945"),
    "pydantic": ("2.4.0", "CVE-2024-3772"),
    "pyjwt": ("2.13.0", "CVE-2026-48526"),
    "redis": ("4.5.4", "CVE-2023-28859"),
    "starlette": ("1.3.1", "CVE-2026-54283"),
    "strawberry-graphql": ("0.327.2", "CVE-2026-107727"),
    "uvicorn": ("0.11.7", "CVE-2020-7695"),
}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REQUIRED = {
    canonicalize_name(requirement.name): requirement
    for requirement in map(Requirement, PYPROJECT["project"]["dependencies"])
}
PINNED = {
    canonicalize_name(name): Version(version)
    for name, version in audit.PINNED.findall(
        (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    )
}


def least(requirement: Requirement) -> Version:
    """The lower bound of a requirement."""
    (bound,) = (Version(one.version) for one in requirement.specifier if one.operator == ">=")
    return bound


@pytest.mark.parametrize("name", FLOORS)
def test_lower_bound_and_pin_are_past_known_advisories(name: str) -> None:
    floor = Version(FLOORS[name][0])
    assert least(REQUIRED[canonicalize_name(name)]) >= floor
    assert PINNED[canonicalize_name(name)] >= floor


def test_each_pin_is_what_the_project_requires() -> None:
    assert {
        name: str(PINNED[name])
        for name, requirement in REQUIRED.items()
        if PINNED[name] not in requirement.specifier
    } == {}


# pip-audit 2.10 on two packages, one of which the service does not know.
PIP_AUDIT = {
    "dependencies": [
        {
            "name": "starlette",
            "version": "1.0.0",
            "vulns": [
                {"id": "PYSEC-2026-249", "fix_versions": ["1.3.1"]},
                {"id": "PYSEC-0", "fix_versions": []},
            ],
        },
        {"name": "editables", "skip_reason": "Dependency not found on PyPI …"},
        {"name": "idna", "version": "3.20", "vulns": []},
    ]
}


def test_what_pip_audit_skips_is_not_checked() -> None:
    report = audit.read_pip_audit(json.dumps(PIP_AUDIT))
    assert report == audit.Report(
        2,
        [
            "starlette 1.0.0: PYSEC-2026-249, fixed in 1.3.1",
            "starlette 1.0.0: PYSEC-0, fixed in no version",
        ],
        "the advisory service does not know editables",
    )
    assert "NOT CHECKED: the advisory service" in str(report)


@pytest.mark.parametrize("output", ["", "Traceback", "{}", "[]"])
def test_auditor_that_fails_has_checked_nothing(output: str) -> None:
    assert audit.read_pip_audit(output).unchecked == "no advisory service was reached"
    assert audit.read_npm_audit(output).unchecked == "npm reached no advisory service"


def test_npm_audit_is_read() -> None:
    answer = {
        "vulnerabilities": {"minimist": {"severity": "critical"}},
        "metadata": {"dependencies": {"total": 7}},
    }
    assert audit.read_npm_audit(json.dumps(answer)) == audit.Report(7, ["minimist: critical"])
    refused = {"statusCode": 405, "error": {"summary": ""}}
    assert audit.read_npm_audit(json.dumps(refused)).unchecked


ADVISORY = """
id: PYSEC-2026-249
aliases: [CVE-2026-54283]
affected:
- package: {name: starlette, ecosystem: PyPI}
  ranges:
  - type: GIT
    events: [{introduced: "0"}]
  - type: ECOSYSTEM
    events:
    - introduced: 0.4.1
    - fixed: 0.9.9
    - introduced: 0.10.0
    - fixed: 1.3.1
    - introduced: 2.0.0
    - last_affected: 2.0.1
  versions: [5.0.0]
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "vulns" / "starlette"
    folder.mkdir(parents=True)
    (folder / "PYSEC-2026-249.yaml").write_text(ADVISORY)
    (folder / "PYSEC-2026-1.yaml").write_text(ADVISORY + "withdrawn: 2026-01-01T00:00:00Z\n")
    return tmp_path


@pytest.mark.parametrize(
    ("version", "is_affected"),
    [
        ("0.4.0", False),
        ("0.4.1", True),
        ("0.9.9", False),
        ("0.10.0", True),
        ("1.3.0", True),
        ("1.3.1", False),
        ("1.10.0", False),
        ("2.0.1", True),
        ("2.0.2", False),
        ("5.0.0", True),
    ],
)
def test_copy_of_the_database_is_read(version: str, is_affected: bool, database: Path) -> None:
    requirements = f"Starlette=={version} \\\n    --hash=sha256:0\nh11==0.16.0 \\\n"
    found = [f"Starlette {version}: PYSEC-2026-249 (CVE-2026-54283)"] if is_affected else []
    assert audit.read_database(requirements, database) == audit.Report(2, found)


def test_folder_that_is_no_copy_of_the_database_checks_nothing(tmp_path: Path) -> None:
    report = audit.read_database("h11==0.16.0", tmp_path)
    assert (report.checked, report.vulnerabilities) == (0, [])
    assert report.unchecked


def test_program_that_is_missing_or_fails_prints_nothing(tmp_path: Path) -> None:
    assert audit.run([tmp_path / "missing"], tmp_path) == ""
    assert audit.run([sys.executable, "-c", "print(1); exit(1)"], tmp_path) == "1\n"


CLEAN, VULNERABLE = audit.Report(3, []), audit.Report(3, ["h11 0.14.0: CVE-2025-43859"])
UNCHECKED = audit.Report(0, [], "no advisory service was reached")


@pytest.mark.parametrize(
    ("reports", "status", "says"),
    [
        ([CLEAN, CLEAN], 0, "audit: clean"),
        ([CLEAN, VULNERABLE, CLEAN], 1, "audit: vulnerable"),
        ([CLEAN, UNCHECKED, CLEAN], 3, "audit: incomplete"),
        ([UNCHECKED, VULNERABLE, UNCHECKED], 1, "audit: vulnerable"),
    ],
)
def test_exit_status_tells_what_was_found_from_what_was_not_checked(
    reports: Sequence[audit.Report], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.conclude([(ROOT / "requirements" / "run.txt", one) for one in reports]) == status
    assert capsys.readouterr().out.splitlines()[-1] == says


def test_every_lock_file_is_audited() -> None:
    audited = audit.locks()
    assert {*audited} >= {*ROOT.glob("requirements/*.txt"), ROOT / "graphiql" / "package-lock.json"}
    assert not [path for path in audited if "node_modules" in path.parts]
