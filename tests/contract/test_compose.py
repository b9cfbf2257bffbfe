"""docker-compose.yml, against the Compose schema, the real program and the real settings."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

import jsonschema
import pytest
import yaml

from gateway.arguments import Arguments, create_parser
from gateway.settings import Settings, SettingsError, load_settings
from gateway.settings.knobs import DEFAULT_UPSTREAM

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "data" / "compose-spec.json"
VARIABLES = {"GATEWAY_" + field.upper() for field in Settings.model_fields}


class Healthcheck(TypedDict):
    """How the engine asks a container how it is."""

    test: list[str]


class Service(TypedDict, total=False):
    """What the tests read of a service."""

    command: list[str]
    ports: list[str]
    profiles: list[str]
    environment: dict[str, str | None]
    healthcheck: Healthcheck
    depends_on: dict[str, dict[str, str]]
    read_only: bool
    cap_drop: list[str]
    security_opt: list[str]
    stop_grace_period: str


COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Service] = COMPOSE["services"]


def arguments(service: str) -> Arguments:
    return create_parser().parse_args(SERVICES[service]["command"], namespace=Arguments())


def environment(service: str) -> dict[str, str]:
    return {k: v or "" for k, v in SERVICES[service].get("environment", {}).items()}


def test_file_keeps_to_the_compose_schema() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


def test_without_a_profile_the_gateway_and_the_emulator_start() -> None:
    started = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert started == {"gateway", "emulator"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_s_command_line_is_understood_and_reachable(service: str) -> None:
    parsed = arguments(service)
    assert parsed.command == ("emulator" if service == "emulator" else "serve")
    assert parsed.host == "0.0.0.0"  # within the container


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_is_a_setting(service: str) -> None:
    assert set(environment(service)) <= VARIABLES


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_may_do_no_more_than_it_needs(service: str) -> None:
    assert SERVICES[service]["read_only"] is True
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]


def test_the_gateway_reads_the_emulator_beside_it() -> None:
    settings = load_settings(environment("gateway"))
    assert settings.upstream_url == f"http://emulator:{arguments('emulator').port}"
    assert settings.upstream_plain_http_host == "emulator"
    assert SERVICES["gateway"]["depends_on"] == {"emulator": {"condition": "service_healthy"}}


def handed_on(**set_outside: str) -> dict[str, str]:
    """The environment of a real store's gateway where Compose finds these variables."""
    found = {}
    for name, value in SERVICES["store-gateway"]["environment"].items():
        _, _, default = (value or "").removesuffix("}").partition(":-")
        found[name] = set_outside.get(name) or default
    return found


def test_a_real_store_s_settings_come_from_the_environment_alone() -> None:
    given = SERVICES["store-gateway"]["environment"]
    # The emulator is not this service's; the stop's grace is in the file, as Compose's own is.
    left_out = {"GATEWAY_EMULATOR_SEGMENTS", "GATEWAY_SHUTDOWN_GRACE_SECONDS"}
    assert set(given) == VARIABLES - left_out
    assert {name for name, value in given.items() if value is not None} == {"GATEWAY_UPSTREAM_URL"}
    assert "depends_on" not in SERVICES["store-gateway"]


def test_a_real_store_without_a_hash_or_a_token_stops_with_a_sentence() -> None:
    whole = {"GATEWAY_STORE_HASH": "abc123", "GATEWAY_ACCESS_TOKEN": "t0k3n"}
    assert load_settings(handed_on(**whole)).upstream_url == DEFAULT_UPSTREAM
    for part in ({}, *({name: value} for name, value in whole.items())):
        with pytest.raises(SettingsError, match=r"^GATEWAY_[A-Z_]+ is set without GATEWAY_"):
            load_settings(handed_on(**part))


@pytest.mark.parametrize("service", ["gateway", "store-gateway"])
def test_ports_are_published_on_loopback_where_the_gateway_listens(service: str) -> None:
    assert SERVICES[service]["ports"] == [f"127.0.0.1:8000:{arguments(service).port}"]


@pytest.mark.parametrize("service", ["gateway", "store-gateway"])
def test_a_stop_waits_longer_than_the_gateway_s_grace(service: str) -> None:
    seconds = int(SERVICES[service]["stop_grace_period"].removesuffix("s"))
    assert seconds > Settings().shutdown_grace_seconds


@pytest.mark.parametrize("service", SERVICES)
def test_a_health_check_tells_a_live_service_from_a_dead_one(service: str) -> None:
    kind, program, option, code = SERVICES[service]["healthcheck"]["test"]
    assert (kind, program, option) == ("CMD", "python", "-c")
    inside = str(arguments(service).port)
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", arguments(service).command, "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={},
    ) as process:
        assert process.stderr is not None
        url = next(line for line in process.stderr if "listening on" in line)
        outside = url.split("http://127.0.0.1:")[1].split(";")[0]
        assert code.count(inside) == 1
        probe = [sys.executable, "-c", code.replace(inside, outside)]
        assert subprocess.run(probe, check=False).returncode == 0
        process.terminate()
        process.stderr.read()
    assert process.returncode == 0
    assert subprocess.run(probe, check=False, stderr=subprocess.DEVNULL).returncode == 1
