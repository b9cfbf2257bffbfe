"""docker-compose.yml, against the Compose schema, the real program and the real settings."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml
from running import Running

from gateway.arguments import Arguments, create_parser
from gateway.bigcommerce.body import MAXIMUM_ANSWER_BYTES
from gateway.bigcommerce.limiter import MAXIMUM_IN_FLIGHT
from gateway.settings import Settings, SettingsError, check_exposure, load_settings

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "data" / "compose-spec.json"
HIVE = ROOT / "examples" / "federation" / "routers" / "hive"
VARIABLES = {"GATEWAY_" + field.upper() for field in Settings.model_fields}


class Service(TypedDict, total=False):
    """What the tests read of a service."""

    image: str
    entrypoint: list[str]
    command: list[str]
    volumes: list[str]
    ports: list[str]
    profiles: list[str]
    environment: dict[str, str | None]
    healthcheck: dict[str, list[str]]
    read_only: bool
    tmpfs: list[str]
    cap_drop: list[str]
    security_opt: list[str]
    stop_grace_period: str
    mem_limit: str
    memswap_limit: str
    pids_limit: int


COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Service] = COMPOSE["services"]
# The services that run the image's own program, `gateway`.
COMMANDS = [
    name
    for name, service in SERVICES.items()
    if service["image"] == SERVICES["gateway"]["image"] and "entrypoint" not in service
]
REPLICAS = ["replica-1", "replica-2"]


def arguments(service: str) -> Arguments:
    return create_parser().parse_args(SERVICES[service]["command"], namespace=Arguments())


def environment(service: str) -> dict[str, str]:
    return {k: v or "" for k, v in SERVICES[service].get("environment", {}).items()}


def stop_seconds(service: str) -> int:
    return int(SERVICES[service]["stop_grace_period"].removesuffix("s"))


def port(service: str) -> int:
    """The port that a service of our own code listens on, in its container."""
    return int(SERVICES[service]["command"][SERVICES[service]["command"].index("--port") + 1])


def test_file_keeps_to_the_compose_schema() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


def test_without_a_profile_the_gateway_and_the_emulator_start() -> None:
    started = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert started == {"gateway", "emulator"}


def test_command_lines_are_understood_and_listen_outside_the_container() -> None:
    for service in COMMANDS:
        parsed = arguments(service)
        assert parsed.command == ("emulator" if service == "emulator" else "serve")
        assert (parsed.host, parsed.port) == ("0.0.0.0", port(service))


def test_every_variable_is_a_setting() -> None:
    assert {name for service in COMMANDS for name in environment(service)} <= VARIABLES


def test_every_container_is_hardened() -> None:
    for service in SERVICES.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_a_gateway_can_write_a_few_megabytes_in_tmp_alone() -> None:
    for service in COMMANDS:
        assert SERVICES[service]["tmpfs"] == ["/tmp:size=16m,mode=1777"]


MIB = 1024**2
# A gateway that has just started, and its parsed documents, both measured.
PROCESS_BYTES = 80 * MIB + 70 * MIB


def memory_of(service: str) -> int:
    """The memory limit of a service in bytes."""
    return int(SERVICES[service]["mem_limit"].removesuffix("m")) * MIB


def test_every_container_has_limits_of_memory_and_processes() -> None:
    for name, service in SERVICES.items():
        assert memory_of(name) <= 1024 * MIB
        assert service["memswap_limit"] == service["mem_limit"]  # no swap
        assert 1 < service["pids_limit"] <= 128


@pytest.mark.parametrize("service", ["gateway", "store-gateway", *REPLICAS])
def test_a_gateway_s_memory_holds_its_caches_and_large_answers_of_the_store(service: str) -> None:
    answers = MAXIMUM_IN_FLIGHT * MAXIMUM_ANSWER_BYTES
    assert memory_of(service) > PROCESS_BYTES + Settings().cache_max_bytes + 2 * answers
    assert "--workers" not in SERVICES[service]["command"]  # each one would need its own


def test_redis_stops_growing_long_before_its_limit() -> None:
    command = SERVICES["redis"]["command"]
    maximum = command[command.index("--maxmemory") + 1].removesuffix("mb")
    assert memory_of("redis") >= 2 * int(maximum) * MIB


def test_ports_are_published_on_loopback_alone() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []
    for service in ("gateway", "store-gateway"):
        assert SERVICES[service]["ports"] == [f"127.0.0.1:8000:{port(service)}"]


@pytest.mark.parametrize("service", ["gateway", *REPLICAS])
def test_gateways_read_the_emulator_in_the_same_network(service: str) -> None:
    settings = load_settings(environment(service))
    assert str(settings.upstream_url) == f"http://emulator:{port('emulator')}"
    assert settings.upstream_plain_http_host == "emulator"


def test_router_and_browsers_reach_the_gateway_by_names_that_it_allows() -> None:
    hosts = load_settings(environment("gateway")).allowed_hosts.split(",")
    router = urlsplit(environment("router")["SEGMENTS_URL"]).hostname
    assert {router, *Settings().allowed_hosts.split(",")} == set(hosts)


@pytest.mark.parametrize("service", ["gateway", *REPLICAS])
def test_what_a_newcomer_tries_is_on(service: str) -> None:
    settings = load_settings(environment(service))
    assert settings.graphiql
    assert settings.introspection
    assert settings.allow_get_documents


@pytest.mark.parametrize("service", REPLICAS)
def test_replicas_share_the_redis_in_the_same_network(service: str) -> None:
    url = load_settings(environment(service)).redis_url
    assert url is not None
    assert urlsplit(str(url.get_secret_value())).hostname == "redis"
    assert "redis" in SERVICES


def with_outer_variables(**outside: str) -> dict[str, str]:
    """The environment of a real store's gateway where Compose finds these variables."""
    found = {}
    for name, value in SERVICES["store-gateway"]["environment"].items():
        _, _, default = (value or "").removesuffix("}").partition(":-")
        found[name] = outside.get(name) or default
    return found


def test_a_real_store_s_settings_come_from_the_environment() -> None:
    left_out = {
        "GATEWAY_EMULATOR_SEGMENTS",
        # The file's stop_grace_period goes with the defaults of these.
        "GATEWAY_SHUTDOWN_GRACE_SECONDS",
        "GATEWAY_DRAIN_SECONDS",
        # Paths inside the container, which a mount has to add.
        "GATEWAY_ACCESS_TOKEN_FILE",
        "GATEWAY_REDIS_URL_FILE",
        "GATEWAY_API_KEYS_FILE",
        "GATEWAY_TRUSTED_DOCUMENTS_FILE",
        "GATEWAY_UPSTREAM_CA_FILE",
        "GATEWAY_REDIS_CA_FILE",
        "GATEWAY_REDIS_CERTIFICATE_FILE",
        "GATEWAY_REDIS_KEY_FILE",
    }
    assert set(environment("store-gateway")) == VARIABLES - left_out


def test_a_real_store_without_a_hash_or_a_token_stops_with_a_sentence() -> None:
    whole = {"GATEWAY_STORE_HASH": "abc123", "GATEWAY_ACCESS_TOKEN": "t0k3n"}
    assert (
        str(load_settings(with_outer_variables(**whole)).upstream_url)
        == "https://api.bigcommerce.com"
    )
    for part in ({}, *({name: value} for name, value in whole.items())):
        with pytest.raises(SettingsError, match=r"^GATEWAY_[A-Z_]+ is set without GATEWAY_"):
            load_settings(with_outer_variables(**part))


@pytest.mark.parametrize("service", ["gateway", *REPLICAS])
def test_gateways_of_an_emulated_store_may_be_read_without_credentials(service: str) -> None:
    settings = load_settings(environment(service))
    assert settings.allow_anonymous == "read"
    check_exposure(settings, arguments(service).host)


def test_a_real_store_s_gateway_starts_only_if_the_environment_says_who_may_ask() -> None:
    store = {"GATEWAY_STORE_HASH": "abc123", "GATEWAY_ACCESS_TOKEN": "t0k3n"}
    host = arguments("store-gateway").host
    with pytest.raises(SettingsError, match=r"says who may ask\. Set GATEWAY_API_KEYS_FILE"):
        check_exposure(load_settings(with_outer_variables(**store)), host)
    tokens = {
        "GATEWAY_JWT_JWKS_URL": "https://id.example.com/keys",
        "GATEWAY_JWT_ISSUER": "https://id.example.com/",
        "GATEWAY_JWT_AUDIENCE": "segments",
    }
    for known in ({"GATEWAY_ALLOW_ANONYMOUS": "read"}, tokens):
        check_exposure(load_settings(with_outer_variables(**store, **known)), host)


@pytest.mark.parametrize("service", ["gateway", "store-gateway", *REPLICAS])
def test_a_stop_waits_longer_than_the_gateway_takes(service: str) -> None:
    settings = Settings()
    assert stop_seconds(service) > settings.shutdown_grace_seconds + settings.drain_seconds


@pytest.mark.parametrize("service", [*COMMANDS, "promotions", "customers", "router"])
def test_a_health_check_asks_where_its_service_listens(service: str) -> None:
    code = SERVICES[service]["healthcheck"]["test"][-1]
    assert re.findall(r"127\.0\.0\.1\D{1,3}(\d+)", code) == [str(port(service))]


@pytest.mark.parametrize("service", ["gateway", "emulator"])
def test_a_health_check_succeeds_while_its_service_runs_and_fails_after(service: str) -> None:
    kind, program, option, code = SERVICES[service]["healthcheck"]["test"]
    assert (kind, program, option) == ("CMD", "python", "-c")
    process = Running(arguments(service).command)
    probe = [sys.executable, "-c", code.replace(str(port(service)), str(process.port))]
    assert subprocess.run(probe, check=False).returncode == 0
    process.stop()
    assert subprocess.run(probe, check=False, stderr=subprocess.DEVNULL).returncode == 1


def mounts(service: str) -> dict[str, Path]:
    """The files that are mounted, by their path in the container."""
    mounted = [volume.split(":") for volume in SERVICES[service]["volumes"]]
    assert {mode for _, _, mode in mounted} == {"ro"}
    return {there: ROOT / here for here, there, _ in mounted}


def test_every_mounted_file_exists() -> None:
    mounting = [name for name, service in SERVICES.items() if "volumes" in service]
    assert [file for name in mounting for file in mounts(name).values() if not file.is_file()] == []


def test_the_balancer_connects_to_each_replica_where_it_listens() -> None:
    config = mounts("balancer")["/usr/local/etc/haproxy/haproxy.cfg"].read_text(encoding="utf-8")
    given = environment("balancer")
    assert set(re.findall(r"\$\{(\w+)\}", config)) == set(given)
    assert [given["REPLICA_1"], given["REPLICA_2"]] == [f"{name}:{port(name)}" for name in REPLICAS]
    (published,) = SERVICES["balancer"]["ports"]
    assert given["BALANCER_ADDRESS"] == f"0.0.0.0:{published.rpartition(':')[2]}"


def test_the_balancer_waits_longer_than_the_gateway() -> None:
    config = mounts("balancer")["/usr/local/etc/haproxy/haproxy.cfg"].read_text(encoding="utf-8")
    limits = re.findall(r"(timeout \S+|hard-\S+) (\d+)s", config)
    seconds = {name: int(value) for name, value in limits}
    assert seconds["timeout server"] > Settings().request_timeout_seconds
    assert seconds["hard-stop-after"] > Settings().shutdown_grace_seconds
    assert stop_seconds("balancer") > seconds["hard-stop-after"]
    # A draining replica fails two checks, the second sooner, and leaves before it stops.
    assert "check inter 1s fastinter 500ms fall 2 rise 1" in config
    assert Settings().drain_seconds >= 2 * 1.5


@pytest.mark.parametrize("service", ["promotions", "customers"])
def test_a_subgraph_of_the_example_runs_its_mounted_file(service: str) -> None:
    program, script = SERVICES[service]["entrypoint"]
    assert program == "python"
    assert mounts(service)[script] == ROOT / "examples" / "federation" / f"{service}.py"


def test_the_router_asks_each_subgraph_where_it_listens() -> None:
    subgraphs = {"SEGMENTS_URL": "gateway", "PROMOTIONS_URL": "promotions"}
    subgraphs["CUSTOMERS_URL"] = "customers"
    assert environment("router") == {
        variable: f"http://{name}:{port(name)}/graphql" for variable, name in subgraphs.items()
    }
    assert SERVICES["router"]["ports"] == [f"127.0.0.1:4000:{port('router')}"]
    assert {Path(there).parent for there in mounts("router")} == {Path("/gateway")}


def test_the_router_s_image_is_the_version_that_npm_installs() -> None:
    package = json.loads((HIVE / "package.json").read_text(encoding="utf-8"))
    version = package["dependencies"]["@graphql-hive/gateway"]
    assert SERVICES["router"]["image"].endswith(f"/graphql-hive/gateway:{version}")
