"""A Prometheus that scrapes a gateway each second, by the configuration in deploy/grafana."""

import os
import re
import shutil
from pathlib import Path
from time import monotonic, sleep
from typing import TypedDict

import httpx
import yaml

from benchmarks.command import PATIENCE_SECONDS, Command, free_port

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
PROMETHEUS = shutil.which("prometheus", path=f"{os.environ['PATH']}:/usr/bin:/usr/local/bin")
# Windows and waits of the alerts, for a scrape each second in place of each 15.
SHORT_WINDOWS = {"2m": "5s", "5m": "8s"}
SHORT_WAIT = "1s"
VARIABLES = {"$job": "gateway", "$instance": ".*", "$__rate_interval": "5s"}


class Series(TypedDict, total=False):
    """A series of an answer: `value` is of one time, `values` of a range."""

    metric: dict[str, str]
    value: tuple[float, str]
    values: list[tuple[float, str]]


class Prometheus(Command):
    """A Prometheus for one gateway; `key` is a file with the key that it scrapes with."""

    def __init__(self, folder: Path, gateway: str, key: Path) -> None:
        assert PROMETHEUS is not None
        self.url = f"http://127.0.0.1:{free_port()}"
        self._http = httpx.Client(base_url=self.url, trust_env=False)
        config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        (scraped,) = config["scrape_configs"]
        scraped["authorization"]["credentials_file"] = str(key)
        scraped["static_configs"] = [{"targets": [gateway.removeprefix("http://")]}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        (folder / "alerts.yml").write_text(yaml.safe_dump(short_alerts()), encoding="utf-8")
        super().__init__(
            PROMETHEUS,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        )

    def start(self) -> None:
        """Starts it, and returns once it is ready."""
        super().start()
        self.errors.wait_for("Server is ready to receive web requests")

    def kill(self) -> None:
        """Kills it, and closes the connections to it."""
        super().kill()
        self._http.close()

    def query(self, expression: str) -> list[Series]:
        """Returns what an expression of the dashboard or of an alert gives now."""
        return self._result("query", query=filled_in(expression))

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[Series]:
        """Returns what an expression gives from `start` to `end`, in seconds since 1970."""
        filled = filled_in(expression)
        return self._result("query_range", query=filled, start=start, end=end, step=step)

    def rules(self) -> dict[str, str]:
        """Returns the health of each alert by its name: `ok`, or what is wrong."""
        (group,) = self._get("rules")["groups"]
        return {rule["name"]: rule.get("lastError") or rule["health"] for rule in group["rules"]}

    def firing(self) -> set[str]:
        """Returns the names of the alerts that fire."""
        alerts = self._get("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def annotations(self) -> list[dict[str, str]]:
        """Returns the texts of the alerts that fire or are about to."""
        return [alert["annotations"] for alert in self._get("alerts")["alerts"]]

    def wait_until_firing(self, *names: str) -> set[str]:
        """Waits until alerts fire, or until none does; returns all that did meanwhile."""
        deadline, seen = monotonic() + PATIENCE_SECONDS, set[str]()
        while not (set(names) <= seen if names else not self.firing()):
            seen |= self.firing()
            assert monotonic() < deadline, f"{names or 'no alert'} expected, but {self.firing()}"
            sleep(0.2)
        return seen

    def _result(self, path: str, **parameters: str | float) -> list[Series]:
        result: list[Series] = self._get(path, **parameters)["result"]
        return result

    def _get(self, path: str, **parameters: str | float):  # type: ignore[no-untyped-def] # JSON
        answer = self._http.get(f"/api/v1/{path}", params=parameters).json()
        assert answer["status"] == "success", answer
        return answer["data"]


def filled_in(expression: str) -> str:
    """Returns an expression with values in place of Grafana's variables."""
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


def short_alerts() -> dict[str, list[dict[str, list[dict[str, str]]]]]:
    """Returns the alerts for a scrape each second."""
    found = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    for rule in found["groups"][0]["rules"]:
        rule["expr"] = re.sub(r"\[(\w+)\]", lambda m: f"[{SHORT_WINDOWS[m[1]]}]", rule["expr"])
        rule["for"] = SHORT_WAIT
    alerts: dict[str, list[dict[str, list[dict[str, str]]]]] = found
    return alerts
