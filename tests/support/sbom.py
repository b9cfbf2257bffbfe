"""Writes build/sbom.cdx.json, a CycloneDX list of the Python packages of the image: `make sbom`.

The packages and their hashes are those of requirements/otel.txt that a Linux image installs; the
licenses are what the same packages say of themselves where they are installed. Arguments: the
Python of the tests' environment, which has them. It runs in the environment of
requirements/sbom.txt.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CYCLONEDX = Path(sys.executable).with_name("cyclonedx-py")
OUTPUT = ROOT / "build" / "sbom.cdx.json"
VERSION = "1.6"
# What CPython 3.13 says of itself in the image.
IMAGE: dict[str, str] = {
    "implementation_name": "cpython",
    "implementation_version": "3.13.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
# Packages that name their license in a file alone.
UNDECLARED = {"aiocache": "BSD-3-Clause", "protobuf": "BSD-3-Clause"}
# One pin with its hashes, which follow it on lines that are indented.
PIN = re.compile(r"^([\w.-]+)==(\S+)( ; ([^\\\n]+))?.*\n(?:[ \t].*\n?)*", re.MULTILINE)


def pins_of_the_image(requirements: str) -> dict[str, str]:
    """Returns each pin of a lock file that the image installs, by the package's name."""
    return {
        pin[1]: pin[0]
        for pin in PIN.finditer(requirements)
        if pin[4] is None or Marker(pin[4].strip()).evaluate(IMAGE)
    }


def cyclonedx(*arguments: str, text: str = "") -> dict[str, Any]:
    """Returns what cyclonedx-py prints."""
    own = [f"--spec-version={VERSION}", "--output-reproducible", "--no-validate"]
    command = [str(CYCLONEDX), *arguments, *own]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    listed: dict[str, Any] = json.loads(done.stdout)
    return listed


def main(python: str) -> None:
    """Writes the file; ends with a sentence if it does not keep to the schema."""
    lock = (ROOT / "requirements" / "otel.txt").read_text(encoding="utf-8")
    pinned = "".join(pins_of_the_image(lock).values())
    project = f"--pyproject={ROOT / 'pyproject.toml'}"
    sbom = cyclonedx("requirements", project, "-", text=pinned)
    installed = cyclonedx("environment", python)
    licenses = {
        (canonicalize_name(component["name"]), component["version"]): component["licenses"]
        for component in installed["components"]
        if "licenses" in component
    }
    for component in sbom["components"]:
        name, version = component["name"], component["version"]
        component["licenses"] = licenses.get((name, version)) or [
            {"license": {"id": UNDECLARED[name]}}
        ]
    text = json.dumps(sbom, indent=2, sort_keys=True) + "\n"
    if error := JsonStrictValidator(SchemaVersion.from_version(VERSION)).validate_str(text):
        sys.exit(f"The list does not keep to the schema: {error}")
    OUTPUT.write_text(text, encoding="utf-8")
    print(f"{OUTPUT.relative_to(ROOT)}: {len(sbom['components'])} packages")


if __name__ == "__main__":
    main(sys.argv[1])
