"""The dashboard and the alerts, against the metrics that there are."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import TypedDict

import promql_parser
import yaml
from dashboard import WIDTH, dashboard
from panels import CODES, COLLECTIONS, OPERATIONS, OUTCOMES, RESULTS, SECTIONS, TYPES, Line
from prometheus_client.metrics import MetricWrapperBase

from gateway.app.check.operations import CHECKED_OPERATIONS
from gateway.errors import ErrorCode
from gateway.instrumentation import CacheResult, Outcome
from gateway.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "grafana"
PAGE = ROOT / "docs" / "telemetry.md"
# The values of the labels that are not the client's names of trusted operations.
VALUES: dict[str, set[str]] = {
    "graphql_operation_type": {"query", "mutation", "unknown"},
    "code": set(ErrorCode),
    "operation": {operation.name for operation in CHECKED_OPERATIONS},
    "outcome": set(Outcome),
    "result": set(CacheResult),
    "collection": set(
        re.findall(r"`([^`]+)`", re.findall(r"\| `collection` \| (.+) \|", PAGE.read_text())[0])
    ),
}
PANELS = [panel for section in SECTIONS for panel in section.panels]


class Rule(TypedDict):
    """What the tests read of an alert."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


(GROUP,) = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
RULES: list[Rule] = GROUP["rules"]
QUERIES = [target.expression for panel in PANELS for target in panel.targets]


def labels_by_series() -> dict[str, set[str]]:
    """The labels of each series, by its name in queries."""
    found = {"up": {"job", "instance"}}
    for metric in vars(Metrics()).values():
        if isinstance(metric, MetricWrapperBase):
            labels = {*metric._labelnames, "job", "instance"}
            if metric._type == "histogram":
                found |= {f"{metric._name}_{part}": labels for part in ("sum", "count")}
                found[f"{metric._name}_bucket"] = {*labels, "le"}
            else:
                found[metric._name + ("_total" if metric._type == "counter" else "")] = labels
    return found


SERIES = labels_by_series()


def parsed(query: str) -> promql_parser.Expr:
    return promql_parser.parse(query.replace("$__rate_interval", "1m"))


def selectors(query: str) -> list[promql_parser.VectorSelector]:
    found: list[promql_parser.VectorSelector] = []

    def visit(expression: promql_parser.Expr) -> bool:
        if isinstance(expression, promql_parser.VectorSelector):
            found.append(expression)
        return True

    promql_parser.walk(parsed(query), visit)
    return found


def grouped_by(query: str) -> set[str]:
    """The labels by which a query adds series up."""
    found: set[str] = set()

    def visit(expression: promql_parser.Expr) -> bool:
        if isinstance(expression, promql_parser.AggregateExpr) and expression.modifier:
            assert expression.modifier.type == promql_parser.AggModifierType.By
            found.update(expression.modifier.labels)
        return True

    promql_parser.walk(parsed(query), visit)
    return found


def unknown_values(label: str, value: str) -> Iterator[str]:
    """The alternatives of a matcher that no value of the label matches."""
    for one in value.split("|") if label in VALUES else ():
        if not any(re.fullmatch(one, known) for known in VALUES[label]):
            yield one


def test_the_file_is_what_the_table_of_panels_makes() -> None:
    assert json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8")) == dashboard()


def test_queries_name_series_labels_and_values_that_there_are() -> None:
    for query in [*QUERIES, *(rule["expr"] for rule in RULES)]:
        known: set[str] = set()
        for selector in selectors(query):
            assert selector.name in SERIES, query
            labels = SERIES[selector.name]
            known |= labels
            for matcher in selector.matchers.matchers:
                assert matcher.name in labels, query
                assert [*unknown_values(matcher.name, matcher.value)] == [], query
        assert grouped_by(query) <= known, query


def test_the_dashboard_asks_for_the_chosen_gateways_alone() -> None:
    for query in QUERIES:
        for selector in selectors(query):
            matched = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
            assert (matched["job"], matched["instance"]) == ("$job", "$instance"), query


def test_alerts_are_about_the_job_that_prometheus_scrapes() -> None:
    (scraped,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    for rule in RULES:
        for selector in selectors(rule["expr"]):
            jobs = [m.value for m in selector.matchers.matchers if m.name == "job"]
            assert jobs == [scraped["job_name"]], rule["alert"]
    monitor = ROOT / "deploy" / "kubernetes" / "components" / "prometheus" / "service-monitor.yaml"
    (endpoint,) = next(yaml.safe_load_all(monitor.read_text()))["spec"]["endpoints"]
    renamed = {rule["targetLabel"]: rule["replacement"] for rule in endpoint["relabelings"]}
    assert renamed == {"job": scraped["job_name"]}


def test_the_dashboard_shows_every_metric() -> None:
    shown = {selector.name for query in QUERIES for selector in selectors(query)}
    histograms = {name.removesuffix("_bucket") for name in SERIES if name.endswith("_bucket")}
    metrics = {re.sub("_(bucket|sum|count)$", "", name) for name in SERIES} - {"up"}
    assert histograms <= metrics
    assert {re.sub("_(bucket|sum|count)$", "", name or "") for name in shown} == metrics


def test_panels_have_an_id_and_a_place_of_their_own() -> None:
    panels = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    assert [panel["id"] for panel in panels] == [*range(1, len(panels) + 1)]
    cells: Counter[tuple[int, int]] = Counter()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= WIDTH
        for x in range(place["x"], place["x"] + place["w"]):
            cells.update((x, y) for y in range(place["y"], place["y"] + place["h"]))
    assert set(cells.values()) == {1}
    assert len(cells) == WIDTH * (1 + max(y for _, y in cells))  # no holes


def test_panels_say_what_they_show() -> None:
    assert len({panel.title for panel in PANELS}) >= len(PANELS) - 1  # one is a stat, too
    for panel in PANELS:
        assert panel.description.endswith(".")
        assert panel.unit


def legends(lines: tuple[Line, ...]) -> set[str]:
    return {line.legend for line in lines}


def test_each_value_of_a_label_has_a_line() -> None:
    assert {
        "graphql_operation_type": legends(TYPES),
        "code": legends(CODES),
        "operation": legends(OPERATIONS),
        "outcome": legends(OUTCOMES),
        "result": legends(RESULTS),
        "collection": legends(COLLECTIONS),
    } == VALUES


def test_no_two_lines_of_a_panel_look_the_same() -> None:
    for panel in PANELS:
        for one, other in combinations(panel.lines, 2):
            assert (one.colour, one.dash) != (other.colour, other.dash), panel.title
        for target in panel.targets:
            label = re.fullmatch(r"{{(\w+)}}", target.legend)
            if panel.lines and label is None:
                assert target.legend in {line.legend for line in panel.lines}


def test_alerts_say_what_to_do_and_where_to_read_on() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        headings = re.findall("^#+ (.+)$", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {"", *(heading.lower().replace(" ", "-") for heading in headings)}


def test_the_page_lists_each_alert_with_its_severity() -> None:
    listed = re.findall(r"^\| `(\w+)` \| .+ \| (\w+) \| .+ \|$", PAGE.read_text(), re.MULTILINE)
    alerts = [(rule["alert"], rule["labels"]["severity"]) for rule in RULES]
    assert [row for row in listed if row[1] in ("critical", "warning", "info")] == alerts


def test_the_alert_of_memory_knows_the_limit_of_the_container() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    limit = compose["services"]["observed-gateway"]["mem_limit"].removesuffix("m")
    (expression,) = [rule["expr"] for rule in RULES if rule["alert"] == "GatewayMemoryHigh"]
    assert expression.endswith(f"> 0.9 * {limit} * 1024 * 1024")
