"""A real Prometheus that scrapes a gateway, answers the dashboard, and raises the alerts."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from panels import SECTIONS
from running import PATIENCE_SECONDS

from benchmarks.dashboard.mixed_load import mixed_load
from benchmarks.dashboard.observed import Observed, observed_gateway
from benchmarks.dashboard.prometheus import FOLDER, PROMETHEUS

ROOT = Path(__file__).parents[2]
TARGETS = [target for section in SECTIONS for panel in section.panels for target in panel.targets]
# Values pass from fresh to stale within the seconds of a test.
SETTINGS = {
    "CACHE_TTL_SECONDS": "1",
    "CACHE_STALE_WHILE_REVALIDATE_SECONDS": "2",
    "CACHE_STALE_IF_ERROR_SECONDS": "60",
}

pytestmark = pytest.mark.skipif(
    PROMETHEUS is None or shutil.which("promtool") is None,
    reason="Prometheus is not installed: on Debian, apt-get install prometheus",
)


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """A gateway under load, which the tests below break in their order."""
    with (
        observed_gateway(tmp_path_factory.mktemp("prometheus"), SETTINGS) as observed,
        mixed_load(observed.gateway),
    ):
        yield observed


def test_alerts_fire_when_they_should_and_not_before() -> None:
    tests = ROOT / "tests" / "contract" / "data" / "alerts_over_time.yml"
    done = subprocess.run(
        ["promtool", "test", "rules", str(tests)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_configuration_is_accepted() -> None:
    config = str(FOLDER / "prometheus.yml")
    subprocess.run(["promtool", "check", "config", "--syntax-only", config], check=True)


def test_every_query_of_the_dashboard_has_an_answer(observed: Observed) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    empty = TARGETS
    while empty and time.monotonic() < deadline:
        empty = [target for target in empty if not observed.prometheus.query(target.expression)]
    assert empty == []


def test_what_the_labels_of_the_answers_are_called_is_in_the_legends(observed: Observed) -> None:
    for panel in (panel for section in SECTIONS for panel in section.panels if panel.lines):
        for target in panel.targets:
            for series in observed.prometheus.query(target.expression):
                (legend,) = series["metric"].values() or (target.legend,)
                assert legend in {line.legend for line in panel.lines}, panel.title


def test_every_alert_is_evaluated(observed: Observed) -> None:
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert observed.prometheus.rules() == dict.fromkeys(names, "ok")


def test_alerts_fire_while_store_and_redis_fail_and_stop_afterwards(observed: Observed) -> None:
    observed.prometheus.wait_until_firing()
    observed.fail({"fault": "server-error", "operation": "list_segments"})
    observed.behave(forbidden_operations=["list_customers"])
    observed.redis.kill()
    fired = observed.prometheus.wait_until_firing(
        *("StoreFailing", "StoreCircuitOpen", "StoreRefusesToken", "RedisAway", "GatewayErrors")
    )
    # What may fire as well, by the values that are left and by how long all of this takes.
    assert fired - {"StaleShareHigh", "GatewaySlow"} == {
        *("StoreFailing", "StoreCircuitOpen", "StoreRefusesToken", "RedisAway", "GatewayErrors")
    }
    for annotations in observed.prometheus.annotations():
        assert "<error" not in annotations["summary"]  # of a template
    observed.recover()
    observed.prometheus.wait_until_firing()


def test_an_alert_fires_when_the_gateway_is_gone(observed: Observed) -> None:
    observed.gateway_process.kill()
    assert "GatewayDown" in observed.prometheus.wait_until_firing("GatewayDown")
