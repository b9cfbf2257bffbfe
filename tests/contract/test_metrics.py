"""The metrics: their names, their labels, and the page that lists them."""

import re
from pathlib import Path

from prometheus_client.metrics_core import Metric

from gateway.telemetry.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs" / "telemetry.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", re.MULTILINE)


def public_name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_the_page_lists_each_metric_with_its_type_and_meaning() -> None:
    listed = [(name, kind, text) for name, kind, _, text in ROW.findall(PAGE.read_text())]
    families = Metrics().collect()
    assert listed == [(public_name(f), f.type, f.documentation) for f in families]
