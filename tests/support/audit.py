"""Looks for known vulnerabilities in all that is pinned: `make audit`.

Each requirements/*.txt is checked by pip-audit, each package-lock.json by `npm audit`. Both ask
services on the network. Without them, the Python packages can be checked against a copy of
github.com/pypa/advisory-database, if its folder is the first argument.

Exit status 0: no vulnerability is known; 1: at least one is; 3: at least one package was not
checked, and no vulnerability is known in the others.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PIP_AUDIT = ROOT / "build" / "audit" / "bin" / "pip-audit"
PATIENCE_SECONDS = 300
VULNERABLE, INCOMPLETE = 1, 3
PINNED = re.compile(r"^([\w.-]+)==([\w.+!-]+)", re.MULTILINE)


class Report(NamedTuple):
    """What is known of the packages of one file; `unchecked` says why some are not checked."""

    checked: int
    vulnerabilities: list[str]
    unchecked: str = ""

    def __str__(self) -> str:
        """Returns lines for a person."""
        lines = [f"{self.checked} packages checked, {len(self.vulnerabilities)} vulnerabilities"]
        if self.unchecked:
            lines.append(f"  NOT CHECKED: {self.unchecked}")
        return "\n".join([*lines, *(f"  {line}" for line in self.vulnerabilities)])


def read_pip_audit(output: str) -> Report:
    """Returns the report of `pip-audit --format json`, which counts what it skips as sound."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Report(0, [], "no advisory service was reached")
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    found = [
        f"{package['name']} {package['version']}: {one['id']}, "
        f"fixed in {', '.join(one['fix_versions']) or 'no version'}"
        for package in packages
        for one in package.get("vulns", [])
    ]
    reason = f"the advisory service does not know {', '.join(skipped)}" if skipped else ""
    return Report(len(packages) - len(skipped), found, reason)


def read_npm_audit(output: str) -> Report:
    """Returns the report of `npm audit --json`."""
    try:
        answer = json.loads(output)
        checked = answer["metadata"]["dependencies"]["total"]
        found = [f"{name}: {one['severity']}" for name, one in answer["vulnerabilities"].items()]
    except (ValueError, KeyError, TypeError):
        return Report(0, [], "npm reached no advisory service")
    return Report(checked, found)


def is_affected(version: str, affected: dict[str, Any]) -> bool:
    """Whether a version is one of those that an advisory names (OSV schema, `affected`)."""
    if version in affected.get("versions", []):
        return True
    for span in affected.get("ranges", []):
        if span["type"] != "ECOSYSTEM":
            continue
        is_inside = False
        for event in span["events"]:  # in order of their versions
            if "introduced" in event and Version(version) >= Version(event["introduced"]):
                is_inside = True
            if "fixed" in event and Version(version) >= Version(event["fixed"]):
                is_inside = False
            if "last_affected" in event and Version(version) > Version(event["last_affected"]):
                is_inside = False
        if is_inside:
            return True
    return False


def advisories_of(name: str, database: Path) -> Iterator[dict[str, Any]]:
    """The advisories of a package in a copy of PyPA's database, without those withdrawn."""
    folder = database / "vulns" / re.sub(r"[-_.]+", "-", name).lower()
    for path in sorted(folder.glob("*.yaml")):
        advisory = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "withdrawn" not in advisory:
            yield advisory


def read_database(requirements: str, database: Path) -> Report:
    """Returns what a copy of PyPA's database knows of pinned requirements."""
    if not (database / "vulns").is_dir():
        return Report(0, [], f"{database} is no copy of pypa/advisory-database")
    pins = PINNED.findall(requirements)
    found = [
        f"{name} {version}: {advisory['id']} ({', '.join(advisory.get('aliases', []))})"
        for name, version in pins
        for advisory in advisories_of(name, database)
        if any(is_affected(version, affected) for affected in advisory["affected"])
    ]
    return Report(len(pins), found)


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Returns what a command prints, an empty text if it cannot be run or takes too long."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def locks() -> list[Path]:
    """The files that pin packages."""
    of_npm = (path for path in ROOT.rglob("package-lock.json") if "node_modules" not in path.parts)
    return [*sorted(ROOT.glob("requirements/*.txt")), *sorted(of_npm)]


def report_on(path: Path, database: Path | None) -> Report:
    """Returns the report of one file that pins packages."""
    if path.name == "package-lock.json":
        asked = ["npm", "audit", "--package-lock-only", "--json"]
        return read_npm_audit(run(asked, path.parent))
    if database is not None:
        return read_database(path.read_text(encoding="utf-8"), database)
    question = ["--disable-pip", "--format", "json", "--requirement", str(path)]
    return read_pip_audit(run([PIP_AUDIT, *question], ROOT))


def conclude(reports: Iterable[tuple[Path, Report]]) -> int:
    """Prints the reports, and returns the exit status."""
    status = 0
    for path, report in reports:
        print(f"{path.relative_to(ROOT)}: {report}", flush=True)
        if report.vulnerabilities:
            status = VULNERABLE
        elif report.unchecked:
            status = status or INCOMPLETE
    print({0: "audit: clean", 1: "audit: vulnerable", 3: "audit: incomplete"}[status])
    return status


if __name__ == "__main__":
    copy = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    sys.exit(conclude((path, report_on(path, copy)) for path in locks()))
