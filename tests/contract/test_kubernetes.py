"""deploy/kubernetes as kubectl renders it, against the schemas, the image and the settings."""

import copy
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml

from gateway.api_keys import create_api_key
from gateway.app import create_app
from gateway.arguments import Arguments, create_parser
from gateway.identity import AccessScope
from gateway.settings import Settings, check_exposure, load_settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# Kubernetes' oldest release that is still maintained, and the newest of which there are schemas.
VERSIONS = ("1.34", kubernetes_validate.latest_version())
# Of the Prometheus operator: these schemas are Kubernetes' own.
FOREIGN = {"ServiceMonitor"}
POD_ADDRESS = "10.1.2.3"
PROMETHEUS = "segments-gateway-prometheus"

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl, which renders the files, is not installed"
)

PROBES = {
    "startupProbe": "/health/live",
    "livenessProbe": "/health/live",
    "readinessProbe": "/health/ready",
}
EVERY = ("base", "overlays/emulator", "overlays/production")

KNOWN = {"GATEWAY_" + field.upper() for field in Settings.model_fields}

# An object of Kubernetes. Its shape is what the schemas check.
Object = dict[str, Any]


@cache
def rendered(name: str) -> tuple[Object, ...]:
    """The objects of a folder with a kustomization.yaml."""
    done = subprocess.run(
        ["kubectl", "kustomize", FOLDER / name], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return tuple(yaml.safe_load_all(done.stdout))


def image_s(instruction: str) -> str:
    """The argument of an instruction that the Dockerfile has once."""
    (argument,) = re.findall(rf"^{instruction} (.+)$", DOCKERFILE, re.MULTILINE)
    return str(argument)


def objects(kind: str, overlay: str = "overlays/production") -> dict[str, Object]:
    """The objects of a kind by their names."""
    return {o["metadata"]["name"]: o for o in rendered(overlay) if o["kind"] == kind}


def one(kind: str, name: str = "segments-gateway", overlay: str = "overlays/production") -> Object:
    return objects(kind, overlay)[name]


def pod(overlay: str = "overlays/production", name: str = "segments-gateway") -> Object:
    """The pod of a Deployment, with `metadata` and `spec`."""
    template: Object = one("Deployment", name, overlay)["spec"]["template"]
    return template


def gateway(overlay: str = "overlays/production") -> Object:
    """The container of the gateway."""
    (container,) = pod(overlay)["spec"]["containers"]
    assert container["name"] == "gateway"
    return dict(container)


def settings_of(overlay: str) -> dict[str, str]:
    """What the overlay's ConfigMap has."""
    ((name, config),) = objects("ConfigMap", overlay).items()
    assert [one["configMapRef"]["name"] for one in gateway(overlay)["envFrom"]] == [name]
    return dict(config["data"])


def environment(overlay: str, files: Path) -> dict[str, str]:
    """The variables of a container that starts, whose Secret is mounted at `files`."""
    values = settings_of(overlay)
    for variable in gateway(overlay)["env"]:
        source = variable.get("valueFrom", {})
        if "fieldRef" in source:
            assert source["fieldRef"]["fieldPath"] == "status.podIP"
            value = POD_ADDRESS
        elif "configMapKeyRef" in source:
            assert source["configMapKeyRef"]["name"] in objects("ConfigMap", overlay)
            value = values[source["configMapKeyRef"]["key"]]
        elif "secretKeyRef" in source:
            value = "abc123"
        else:
            value = variable["value"].replace("/etc/gateway", str(files))
            for name, known in values.items():
                value = value.replace(f"$({name})", known)
        values[variable["name"]] = value
    return {name: values[name] for name in values if name.startswith("GATEWAY_")}


def validation_error(document: Object, version: str) -> str:
    """What the schema says of an object; empty if it is valid, without any unknown field."""
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error.message)
    return ""


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_keeps_to_the_published_schema(version: str) -> None:
    for overlay in EVERY:
        checked = [o for o in rendered(overlay) if o["kind"] not in FOREIGN]
        assert len(checked) >= 7
        assert [(o["kind"], e) for o in checked if (e := validation_error(o, version))] == []


def test_a_field_that_is_wrong_or_unknown_fails_the_validation() -> None:
    deployment = copy.deepcopy(one("Deployment"))
    deployment["spec"]["template"]["spec"]["containers"][0]["readOnlyRootFileSystem"] = True
    assert "'readOnlyRootFileSystem' was unexpected" in validation_error(deployment, VERSIONS[0])
    budget = copy.deepcopy(one("PodDisruptionBudget"))
    budget["spec"]["maxUnavailable"] = 1.5
    assert validation_error(budget, VERSIONS[0]).startswith("1.5 is not")


def test_every_file_is_part_of_an_overlay() -> None:
    def listed(folder: Path) -> Iterator[Path]:
        text = (folder / "kustomization.yaml").read_text(encoding="utf-8")
        kustomization = yaml.safe_load(text)
        yield folder / "kustomization.yaml"
        paths = [*kustomization.get("resources", ()), *kustomization.get("components", ())]
        paths += [patch["path"] for patch in kustomization.get("patches", ())]
        for generator in kustomization.get("configMapGenerator", ()):
            paths += generator.get("envs", ())
        for path in paths:
            if (folder / path).is_dir():
                yield from listed((folder / path).resolve())
            else:
                yield folder / path

    used = {file for overlay in EVERY for file in listed(FOLDER / overlay)}
    assert {path for path in FOLDER.rglob("*") if path.is_file()} == used


def test_every_variable_is_a_setting() -> None:
    for overlay in EVERY:
        named = {v["name"] for v in gateway(overlay)["env"]} | set(settings_of(overlay))
        assert {name for name in named if name.startswith("GATEWAY_")} <= KNOWN


def test_the_overlay_that_the_documentation_shows_is_rendered(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    here = os.path.relpath(ROOT / "deploy", tmp_path)
    (tmp_path / "kustomization.yaml").write_text(shown.replace("../deploy", here))
    mine = str(tmp_path)
    assert [(o["kind"], e) for o in rendered(mine) if (e := validation_error(o, VERSIONS[0]))] == []
    assert gateway(mine)["image"] == "registry.example.com/bigcommerce-segments-gateway:0.1.0"
    hosts = settings_of(mine)["GATEWAY_ALLOWED_HOSTS"].split(",")
    assert {"segments.example.com", "segments-gateway.segments"} <= set(hosts)
    assert set(settings_of(mine)) > set(settings_of("base"))


def test_the_command_of_the_documentation_makes_an_object_of_the_alerts(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^```sh\n(\{ printf .+?)^```", page, re.MULTILINE | re.DOTALL)
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\nexec cat\n", encoding="utf-8")
    kubectl.chmod(0o700)
    path = f"{tmp_path}:{os.environ['PATH']}"
    made = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env={"PATH": path}, capture_output=True, check=True
    )
    rules = yaml.safe_load((ROOT / "deploy" / "grafana" / "alerts.yml").read_bytes())
    assert yaml.safe_load(made.stdout) == {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "segments-gateway", "namespace": "segments"},
        "spec": rules,
    }


def test_no_secret_is_in_the_files() -> None:
    assert [overlay for overlay in EVERY if objects("Secret", overlay)] == []
    (volume,) = [v["secret"] for v in pod()["spec"]["volumes"] if "secret" in v]
    assert volume["secretName"] == "segments-gateway"
    assert [item["key"] for item in volume["items"]] == ["access-token", "keys.json"]
    # The user of the container reads it as the volume's group, and cannot write it.
    assert volume["defaultMode"] == 0o440
    mounts = {mount["mountPath"]: mount.get("readOnly") for mount in gateway()["volumeMounts"]}
    assert mounts == {"/etc/gateway": True, "/tmp": None}


@pytest.mark.parametrize("overlay", ["base", "overlays/production"])
def test_a_gateway_with_a_secret_may_serve_its_store(overlay: str, tmp_path: Path) -> None:
    (tmp_path / "access-token").write_text("t0k3n\n")
    create_api_key(tmp_path / "keys.json", "web", [AccessScope.SEGMENTS_READ])
    settings = load_settings(environment(overlay, tmp_path))
    assert settings.store_hash == "abc123"
    check_exposure(settings, "0.0.0.0")


def test_the_emulator_needs_no_secret_and_is_one_pod(tmp_path: Path) -> None:
    overlay = "overlays/emulator"
    settings = load_settings(environment(overlay, tmp_path))
    assert (settings.store_hash, settings.allow_anonymous) == (None, "read")
    check_exposure(settings, "0.0.0.0")
    assert one("Deployment", overlay=overlay)["spec"]["replicas"] == 1
    assert [*pod(overlay)["spec"]["volumes"]] == [
        {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}
    ]


async def test_probes_by_address_and_clients_by_the_service_s_names_are_answered(
    tmp_path: Path,
) -> None:
    given = environment("overlays/emulator", tmp_path)
    app = create_app(load_settings(given))
    service, namespace = "segments-gateway", one("Namespace", "segments")["metadata"]["name"]
    probes = [gateway()[probe]["httpGet"]["path"] for probe in PROBES]
    full = f"{service}.{namespace}.svc.cluster.local"
    requests = [(f"{POD_ADDRESS}:8000", path) for path in probes]
    requests += [(host, "/") for host in (service, f"{service}.{namespace}", full, "localhost:80")]
    statuses = []
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http,
    ):
        for host, path in [*requests, (f"{POD_ADDRESS}:8000", "/")]:
            statuses.append((await http.get(path, headers={"Host": host})).status_code)
    assert statuses == [200] * len(requests) + [421]


async def test_prometheus_reads_metrics_by_the_pod_s_address_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "access-token").write_text("t0k3n\n")
    key = create_api_key(tmp_path / "keys.json", "prometheus", [AccessScope.METRICS])
    given = environment("overlays/production", tmp_path)
    for name in ("GATEWAY_STORE_HASH", "GATEWAY_ACCESS_TOKEN_FILE", "GATEWAY_REDIS_URL"):
        del given[name]  # neither is asked for metrics
    app = create_app(load_settings(given))
    path = one("ServiceMonitor")["spec"]["endpoints"][0]["path"]
    statuses = []
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http,
    ):
        bearer = {"Authorization": f"Bearer {key}"}
        for address, headers in ((POD_ADDRESS, bearer), (POD_ADDRESS, {}), ("10.9.9.9", bearer)):
            answer = await http.get(path, headers={"Host": f"{address}:8000", **headers})
            statuses.append(answer.status_code)
    assert statuses == [200, 401, 421]


def test_prometheus_asks_the_service_s_pods_with_a_key() -> None:
    monitor = one("ServiceMonitor")["spec"]
    service = one("Service")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["path"] == "/metrics"
    credentials = {"name": "segments-gateway", "key": "metrics-key"}
    assert endpoint["authorization"] == {"credentials": credentials}


def test_prometheus_may_find_the_pods_in_their_namespace() -> None:
    role, binding = one("Role", PROMETHEUS), one("RoleBinding", PROMETHEUS)
    assert {role["metadata"]["namespace"], binding["metadata"]["namespace"]} == {"segments"}
    found = {name for rule in role["rules"] for name in rule["resources"]}
    assert found == {"services", "endpoints", "pods", "endpointslices"}
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    # The account that the policy's namespace has, not one beside the gateway.
    (source,) = one("NetworkPolicy", PROMETHEUS)["spec"]["ingress"][0]["from"]
    namespace = source["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    account = {"kind": "ServiceAccount", "name": "prometheus-k8s", "namespace": namespace}
    assert binding["subjects"] == [account]


def test_the_user_is_the_image_s_and_nothing_runs_as_root() -> None:
    user, group = map(int, image_s("USER").split(":"))
    security = pod()["spec"]["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (user, group)
    assert security["fsGroup"] == group
    for overlay in EVERY:
        for name in objects("Deployment", overlay):
            spec = pod(overlay, name)["spec"]
            assert spec["securityContext"]["runAsNonRoot"] is True
            assert spec["securityContext"]["runAsUser"] > 0
            assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert spec["automountServiceAccountToken"] is False
            for container in spec["containers"]:
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }
    labels = one("Namespace", "segments")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_an_image_that_was_loaded_onto_the_node_is_not_pulled() -> None:
    # Kubernetes pulls an image without a tag each time, unless its policy says otherwise.
    assert ":" not in gateway("overlays/emulator")["image"]
    assert {gateway(overlay)["imagePullPolicy"] for overlay in EVERY} == {"IfNotPresent"}


def test_the_command_line_is_understood_and_ports_agree() -> None:
    parsed = create_parser().parse_args(gateway()["args"], namespace=Arguments())
    assert (parsed.command, parsed.host, str(parsed.port)) == (
        "serve",
        "0.0.0.0",
        image_s("EXPOSE"),
    )
    assert gateway()["ports"] == [{"name": "http", "containerPort": parsed.port}]
    assert [p["targetPort"] for p in one("Service")["spec"]["ports"]] == ["http"]
    assert {gateway()[probe]["httpGet"]["port"] for probe in PROBES} == {"http"}
    for policy in ("segments-gateway", "segments-gateway-prometheus"):
        (rule,) = one("NetworkPolicy", policy)["spec"]["ingress"]
        assert rule["ports"] == [{"port": "http"}]


def test_each_probe_asks_its_path() -> None:
    assert {probe: gateway()[probe]["httpGet"]["path"] for probe in PROBES} == PROBES


def test_a_pod_has_time_to_drain_and_to_finish() -> None:
    for overlay in EVERY:
        given = settings_of(overlay)
        drain, finish = (
            float(given[f"GATEWAY_{name}_SECONDS"]) for name in ("DRAIN", "SHUTDOWN_GRACE")
        )
        grace = pod(overlay)["spec"]["terminationGracePeriodSeconds"]
        assert grace > drain + 0.5 + finish
        # Two failed checks of readiness, and the same again until every node knows.
        probe = gateway(overlay)["readinessProbe"]
        assert drain >= 2 * probe["periodSeconds"] * probe["failureThreshold"]


def test_an_update_takes_no_pod_away_before_the_next_is_ready() -> None:
    spec = one("Deployment")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_a_node_is_drained_one_pod_at_a_time_even_with_one_pod() -> None:
    for overlay in EVERY:
        budget = one("PodDisruptionBudget", overlay=overlay)["spec"]
        assert budget["maxUnavailable"] == 1
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        # Two pods on one node are better than one pod.
        spreads = pod(overlay)["spec"]["topologySpreadConstraints"]
        assert {spread["whenUnsatisfiable"] for spread in spreads} == {"ScheduleAnyway"}


def test_the_cloud_s_metadata_is_out_of_reach() -> None:
    blocks = [
        target["ipBlock"]
        for rule in one("NetworkPolicy")["spec"]["egress"]
        for target in rule["to"]
        if "ipBlock" in target
    ]
    assert [block["cidr"] for block in blocks] == ["0.0.0.0/0", "::/0"]
    refused = [ip_network(text) for block in blocks for text in block["except"]]
    for address in ("169.254.169.254", "fd00:ec2::254"):
        assert any(ip_address(address) in network for network in refused)


def test_selectors_match_the_pods() -> None:
    for overlay in EVERY:
        deployments, policies = objects("Deployment", overlay), objects("NetworkPolicy", overlay)
        labels = {name: pod(overlay, name)["metadata"]["labels"] for name in deployments}
        selected = {
            **{
                f"d/{n}": o["spec"]["selector"]["matchLabels"]
                for n, o in objects("Deployment", overlay).items()
            },
            **{f"s/{n}": o["spec"]["selector"] for n, o in objects("Service", overlay).items()},
            **{f"n/{n}": o["spec"]["podSelector"]["matchLabels"] for n, o in policies.items()},
            "budget": one("PodDisruptionBudget", overlay=overlay)["spec"]["selector"][
                "matchLabels"
            ],
        }
        for spread in pod(overlay)["spec"]["topologySpreadConstraints"]:
            selected[spread["topologyKey"]] = spread["labelSelector"]["matchLabels"]
        for name, selector in selected.items():
            matched = [n for n, have in labels.items() if selector.items() <= have.items()]
            assert matched == ["segments-redis" if "segments-redis" in name else "segments-gateway"]


def ports_out(policy: str) -> list[tuple[int, str]]:
    rules = one("NetworkPolicy", policy)["spec"].get("egress", ())
    return [(p["port"], p.get("protocol", "TCP")) for rule in rules for p in rule["ports"]]


def test_the_gateway_reaches_names_https_and_redis_alone() -> None:
    assert ports_out("segments-gateway") == [(53, "UDP"), (53, "TCP"), (443, "TCP")]
    assert ports_out("segments-gateway-redis") == [(6379, "TCP")]
    assert ports_out("segments-redis") == []
    for policy in objects("NetworkPolicy").values():
        # A rule without `to` or `from` would allow any.
        assert all(rule.get("to") or rule.get("from") for rule in rules_of(policy))


def rules_of(policy: Object) -> list[Object]:
    return [*policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ())]


def test_the_gateway_shares_the_redis_beside_it_which_is_compose_s() -> None:
    settings = settings_of("overlays/production")
    port = one("Service", "segments-redis")["spec"]["ports"][0]["port"]
    assert settings["GATEWAY_REDIS_URL"] == f"redis://segments-redis:{port}/0"
    (redis,) = pod(name="segments-redis")["spec"]["containers"]
    assert (redis["image"], redis["args"]) == (
        COMPOSE["redis"]["image"],
        COMPOSE["redis"]["command"],
    )


def test_memory_is_limited_as_in_compose() -> None:
    assert gateway()["resources"]["limits"]["memory"] == "512Mi"
    assert COMPOSE["gateway"]["mem_limit"] == "512m"


def test_metrics_are_on_where_prometheus_asks_for_them() -> None:
    assert settings_of("overlays/production")["GATEWAY_METRICS"] == "true"
    assert "GATEWAY_METRICS" not in settings_of("base")


def test_ci_installs_no_kubectl_of_another_machine(tmp_path: Path) -> None:
    uname = tmp_path / "uname"
    uname.write_text("#!/bin/sh\n[ $1 = -s ] && echo Linux || echo aarch64\n")
    uname.chmod(0o755)
    done = subprocess.run(
        [ROOT / ".ci" / "install-kubectl"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Install kubectl 1.27 or newer (https://kubernetes.io/")
