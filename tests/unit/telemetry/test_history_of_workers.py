"""The history of a worker has what all workers counted, from its own start on."""

import json
import os
import subprocess
import sys
from pathlib import Path

# The library of Prometheus reads the folder's name at its import: hence processes of their own.
WORKER = """
import json, subprocess, sys
from gateway.telemetry.history import History, totals
from gateway.telemetry.metrics import Metrics

def another_worker(count):
    text = (
        "from gateway.telemetry.metrics import Metrics; metrics = Metrics();"
        f"metrics.errors.labels('RATE_LIMITED').inc({count}); metrics.circuit_open.set(1)"
    )
    subprocess.run([sys.executable, "-c", text], check=True)

another_worker(100)
metrics = Metrics()
history = History(metrics)
metrics.errors.labels("RATE_LIMITED").inc(2)
another_worker(3)
history.add(totals(metrics))
(sample,) = history.since(0).samples
print(json.dumps([sample.errors, sample.circuit_open]))
"""


def test_worker_has_what_all_workers_counted_since_its_start(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", WORKER]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [{"RATE_LIMITED": 5}, True]
