"""docker-compose.yml, against the Compose schema, the real program and the real settings."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

import jsonschema
import pytest
import yaml
from npm_tools import needs

from gateway.arguments import Arguments, create_parser
from gateway.server import Manners
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

    image: str
    entrypoint: list[str]
    command: list[str]
    volumes: list[str]
    ports: list[str]
    profiles: list[str]
    environment: dict[str, str | None]
    healthcheck: Healthcheck
    user: str
    depends_on: dict[str, dict[str, str]]
    read_only: bool
    cap_drop: list[str]
    security_opt: list[str]
    stop_grace_period: str


COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Service] = COMPOSE["services"]
EXAMPLE = [
    name for name, service in SERVICES.items() if "federation" in service.get("profiles", [])
]
IMAGE = SERVICES["gateway"]["image"]
# Those that the image's own entry point, `gateway`, starts.
COMMANDS = [
    name
    for name, service in SERVICES.items()
    if service["image"] == IMAGE and "entrypoint" not in service
]
REPLICAS = ["replica-1", "replica-2"]
HIVE = ROOT / "examples" / "federation" / "routers" / "hive"
NPM, NODE_IS_THERE, HIVE_IS_INSTALLED = needs(HIVE)
HIVE_PROGRAM = HIVE / "node_modules" / "@graphql-hive" / "gateway" / "dist" / "bin.js"
PATIENCE_SECONDS = 30


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


@pytest.mark.parametrize("service", COMMANDS)
def test_a_service_s_command_line_is_understood_and_reachable(service: str) -> None:
    parsed = arguments(service)
    assert parsed.command == ("emulator" if service == "emulator" else "serve")
    assert parsed.host == "0.0.0.0"  # within the container


@pytest.mark.parametrize("service", COMMANDS)
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
    left_out = {
        "GATEWAY_EMULATOR_SEGMENTS",
        "GATEWAY_SHUTDOWN_GRACE_SECONDS",
        "GATEWAY_DRAIN_SECONDS",
        # Files of the container: whoever mounts them names them.
        "GATEWAY_UPSTREAM_CA_FILE",
        "GATEWAY_REDIS_CA_FILE",
        "GATEWAY_REDIS_CERTIFICATE_FILE",
        "GATEWAY_REDIS_KEY_FILE",
    }
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


@pytest.mark.parametrize("service", ["gateway", "store-gateway", *REPLICAS])
def test_a_stop_waits_longer_than_the_gateway_takes(service: str) -> None:
    seconds = int(SERVICES[service]["stop_grace_period"].removesuffix("s"))
    manners = Manners(Settings().shutdown_grace_seconds, Settings().drain_seconds)
    assert seconds > manners.stop_seconds


@pytest.mark.parametrize("service", COMMANDS)
def test_a_health_check_tells_a_live_service_from_a_dead_one(service: str) -> None:
    kind, program, option, code = SERVICES[service]["healthcheck"]["test"]
    assert (kind, program, option) == ("CMD", "python", "-c")
    inside = str(arguments(service).port)
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", arguments(service).command, "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={"GATEWAY_DRAIN_SECONDS": "0"},
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


@pytest.mark.parametrize("service", REPLICAS)
def test_a_replica_is_the_gateway_with_a_redis_beside_it(service: str) -> None:
    assert SERVICES[service]["command"] == SERVICES["gateway"]["command"]
    assert SERVICES[service]["healthcheck"] == SERVICES["gateway"]["healthcheck"]
    assert environment(service) == {
        **environment("gateway"),
        "GATEWAY_REDIS_URL": "redis://redis:6379/0",
    }
    redis_url = load_settings(environment(service)).redis_url
    assert redis_url is not None
    assert redis_url.get_secret_value() == "redis://redis:6379/0"
    assert "ports" not in SERVICES[service]
    assert SERVICES[service]["depends_on"] == {
        name: {"condition": "service_healthy"} for name in ("emulator", "redis")
    }


def test_the_replicas_and_what_is_around_them_start_with_their_profile() -> None:
    started = {
        name for name, service in SERVICES.items() if service.get("profiles") == ["replicas"]
    }
    assert started == {*REPLICAS, "balancer", "redis"}


def test_redis_is_a_bounded_cache_that_nobody_outside_reaches() -> None:
    program, *options = SERVICES["redis"]["command"]
    assert program == "redis-server"
    assert dict(zip(options[::2], options[1::2], strict=True)) == {
        "--maxmemory": "64mb",
        "--maxmemory-policy": "allkeys-lru",
        "--save": "",
        "--appendonly": "no",
    }
    assert SERVICES["redis"]["user"] == "redis"
    assert "ports" not in SERVICES["redis"]


def test_the_balancer_asks_each_replica_where_it_listens() -> None:
    config = (ROOT / "examples" / "replicas" / "haproxy.cfg").read_text(encoding="utf-8")
    given = environment("balancer")
    assert set(re.findall(r"\$\{(\w+)\}", config)) == set(given)
    assert [given["REPLICA_1"], given["REPLICA_2"]] == [
        f"{service}:{arguments(service).port}" for service in REPLICAS
    ]
    (published,) = SERVICES["balancer"]["ports"]
    assert published.startswith("127.0.0.1:")  # with whatever the host calls the port
    assert given["BALANCER_ADDRESS"] == f"0.0.0.0:{published.rpartition(':')[2]}"
    assert list(mounts("balancer")) == ["/usr/local/etc/haproxy/haproxy.cfg"]
    assert set(SERVICES["balancer"]["depends_on"]) == set(REPLICAS)


def test_the_balancer_waits_longer_than_the_gateway() -> None:
    config = (ROOT / "examples" / "replicas" / "haproxy.cfg").read_text(encoding="utf-8")
    seconds = {
        name: int(value) for name, value in re.findall(r"(timeout \S+|hard-\S+) (\d+)s", config)
    }
    assert seconds["timeout server"] > Settings().request_timeout_seconds
    assert seconds["hard-stop-after"] > Settings().shutdown_grace_seconds
    stop = int(SERVICES["balancer"]["stop_grace_period"].removesuffix("s"))
    assert stop > seconds["hard-stop-after"]
    # A replica that drains is out of the rotation before it stops: two checks, the second sooner.
    assert "check inter 1s fastinter 500ms fall 2 rise 1" in config
    assert Settings().drain_seconds >= 2 * 1.5


def started_elsewhere(service: str) -> tuple[list[str], int]:
    """The command line of a service of the example, on loopback and a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = SERVICES[service]["command"]
    *before, host_option, host, port_option, inside = given
    assert (host_option, host, port_option) == ("--host", "0.0.0.0", "--port")
    assert inside == inside_port(service)
    return [*before, host_option, "127.0.0.1", port_option, str(port)], port


def inside_port(service: str) -> str:
    return SERVICES[service]["command"][-1]


def mounts(service: str) -> dict[str, Path]:
    """What is mounted, by its place in the container."""
    found = {}
    for volume in SERVICES[service]["volumes"]:
        here, there, mode = volume.split(":")
        assert mode == "ro"
        found[there] = ROOT / here
        assert found[there].is_file()
    return found


def probe(service: str, port: int) -> int:
    """The exit status of the service's health check, asked at another port."""
    kind, program, option, code = SERVICES[service]["healthcheck"]["test"]
    assert kind == "CMD"
    assert code.count(f"127.0.0.1:{inside_port(service)}/") == 1
    program = {"python": sys.executable}.get(program, program)
    line = [program, option, code.replace(inside_port(service), str(port))]
    return subprocess.run(line, check=False, stderr=subprocess.DEVNULL).returncode


@contextmanager
def running(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def comes_up(service: str, port: int) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if probe(service, port) == 0:
            return True
    return False


@pytest.mark.parametrize("service", ["promotions", "customers"])
def test_a_subgraph_of_the_example_runs_in_the_gateway_s_image(service: str) -> None:
    assert SERVICES[service]["image"] == IMAGE
    program, script = SERVICES[service]["entrypoint"]
    assert program == "python"
    command, port = started_elsewhere(service)
    assert probe(service, port) == 1
    with running([sys.executable, str(mounts(service)[script]), *command], ROOT, {}):
        assert comes_up(service, port)
    assert probe(service, port) == 1


def test_the_router_asks_each_subgraph_where_it_listens() -> None:
    where = {
        "SEGMENTS_URL": f"http://gateway:{arguments('gateway').port}/graphql",
        "PROMOTIONS_URL": f"http://promotions:{inside_port('promotions')}/graphql",
        "CUSTOMERS_URL": f"http://customers:{inside_port('customers')}/graphql",
    }
    assert environment("router") == where
    assert SERVICES["router"]["depends_on"] == {
        service: {"condition": "service_healthy"}
        for service in ("gateway", "promotions", "customers")
    }
    assert SERVICES["router"]["ports"] == [f"127.0.0.1:4000:{inside_port('router')}"]


def test_the_router_s_image_is_what_npm_installs() -> None:
    package = json.loads((HIVE / "package.json").read_text(encoding="utf-8"))
    version = package["dependencies"]["@graphql-hive/gateway"]
    assert SERVICES["router"]["image"].endswith(f"/graphql-hive/gateway:{version}")


@NPM
@NODE_IS_THERE
@HIVE_IS_INSTALLED
def test_the_router_starts_with_what_is_mounted(tmp_path: Path) -> None:
    for there, here in mounts("router").items():
        assert Path(there).parent == Path("/gateway")  # where the image's program is started
        shutil.copy(here, tmp_path / Path(there).name)
    command, port = started_elsewhere("router")
    variables = {"PATH": os.environ["PATH"], **environment("router")}
    with running(["node", str(HIVE_PROGRAM), *command], tmp_path, variables):
        assert comes_up("router", port)
    assert probe("router", port) == 1
    # The container's file system is read only.
    assert len(list(tmp_path.iterdir())) == len(mounts("router"))
