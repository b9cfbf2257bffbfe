"""`make sbom`: what it lists is what the image installs. It fails if the schema is not kept to."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker

ROOT = Path(__file__).parents[2]
IN_THE_IMAGE = {
    "python_version": "3.13",
    "python_full_version": "3.13.1",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
}
# A pin with its condition, and its hashes.
PIN = re.compile(r"^([\w.-]+)==(\S+)(?: ; ([^\\\n]+))? \\\n((?: +--hash=\S+(?: \\)?\n?)+)", re.M)


@pytest.fixture(scope="module")
def sbom() -> dict[str, Any]:
    if not (ROOT / "build" / "sbom" / ".installed").is_file():
        pytest.skip("Run `make sbom` once: it installs what lists the packages.")
    program = [ROOT / "build" / "sbom" / "bin" / "python", ROOT / "tests" / "support" / "sbom.py"]
    # The environment of the tests has all that is installed in the image.
    subprocess.run([*program, sys.executable], check=True, capture_output=True)
    listed: dict[str, Any] = json.loads((ROOT / "build" / "sbom.cdx.json").read_text())
    return listed


def pinned() -> dict[tuple[str, str], set[str]]:
    """The hashes of each package and version that the image installs."""
    text = (ROOT / "requirements" / "otel.txt").read_text(encoding="utf-8")
    pins = PIN.findall(text)
    assert len(pins) == text.count("==") - len(re.findall(r"; .*==", text))
    return {
        (name, version): set(re.findall(r"sha256:(\w+)", hashes))
        for name, version, marker, hashes in pins
        if not marker or Marker(marker.strip()).evaluate(IN_THE_IMAGE)
    }


def test_the_components_are_exactly_what_is_pinned_for_the_image(sbom: dict[str, Any]) -> None:
    listed = {
        (component["name"], component["version"]): {
            one["content"] for ref in component["externalReferences"] for one in ref["hashes"]
        }
        for component in sbom["components"]
    }
    assert listed == pinned()
    assert "uvloop" in {name for name, _ in listed}
    assert "async-timeout" not in {name for name, _ in listed}  # for older Pythons


def test_each_component_has_a_license(sbom: dict[str, Any]) -> None:
    assert [c["name"] for c in sbom["components"] if not c.get("licenses")] == []


def test_the_list_is_of_the_gateway_and_the_same_each_time(sbom: dict[str, Any]) -> None:
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert sbom["metadata"]["component"]["name"] == "bigcommerce-segments-gateway"
    assert not {"serialNumber", "timestamp"} & {*sbom, *sbom["metadata"]}
