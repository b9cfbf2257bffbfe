"""Writes dashboard.json: `python deploy/grafana/dashboard.py > deploy/grafana/dashboard.json`.

panels.py is easier to keep right than the JSON that Grafana reads.
"""

import json
from collections.abc import Sequence
from typing import Final

from panels import SECTIONS, Line, Panel, Section

Json = dict[str, object]

WIDTH: Final = 24


def dashboard(sections: Sequence[Section] = SECTIONS) -> Json:
    """Returns the dashboard as Grafana 12 reads it."""
    panels: list[Json] = []
    top = 0
    for section in sections:
        panels.append(_heading(section.title, len(panels) + 1, top))
        top, left = top + 1, 0
        for panel in section.panels:
            if left + panel.columns > WIDTH:
                top, left = top + panel.rows, 0
            place = {"x": left, "y": top, "w": panel.columns, "h": panel.rows}
            panels.append(_panel(panel, len(panels) + 1, place))
            left += panel.columns
        top += section.panels[-1].rows
    return {
        "uid": "bigcommerce-segments-gateway",
        "title": "BigCommerce segments gateway",
        "description": "What clients asked and got, what the store saw, what is left of its quota.",
        "tags": ["graphql", "bigcommerce"],
        "schemaVersion": 41,
        "version": 1,
        "id": None,
        "editable": True,
        "graphTooltip": 1,  # one cursor for all panels
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": _variables()},
        "panels": panels,
    }


def _variables() -> list[Json]:
    return [
        {
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "current": {},
            "hide": 0,
        },
        _label_variable("job", "Job", "label_values(gateway_upstream_quota_limit, job)"),
        {
            **_label_variable(
                "instance",
                "Instance",
                'label_values(gateway_upstream_quota_limit{job="$job"}, instance)',
            ),
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": ["All"], "value": ["$__all"]},
        },
    ]


def _label_variable(name: str, label: str, query: str) -> Json:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,  # with the time range
        "sort": 1,
        "current": {},
        "hide": 0,
    }


_DATASOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}


def _heading(title: str, number: int, top: int) -> Json:
    place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
    shape: Json = {"id": number, "type": "row", "title": title, "gridPos": place}
    return {**shape, "collapsed": False, "panels": []}


def _panel(panel: Panel, number: int, place: dict[str, int]) -> Json:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "gridPos": place,
        "datasource": _DATASOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": _DATASOURCE,
                "expr": target.expression,
                "legendFormat": target.legend,
                "editorMode": "code",
                "instant": panel.kind == "stat",
                "range": panel.kind != "stat",
            }
            for at, target in enumerate(panel.targets)
        ],
        "fieldConfig": {
            "defaults": _defaults(panel),
            "overrides": [_override(line) for line in panel.lines],
        },
        "options": _STAT if panel.kind == "stat" else _TIMESERIES,
    }


_STAT: Final[Json] = {
    "colorMode": "value",
    "graphMode": "none",
    "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    "textMode": "value",
}
_TIMESERIES: Final[Json] = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
    "tooltip": {"mode": "multi", "sort": "desc"},
}


def _defaults(panel: Panel) -> Json:
    found: Json = {"unit": panel.unit, "noValue": "–"}
    for name, value in (
        ("min", panel.minimum),
        ("max", panel.maximum),
        ("decimals", panel.decimals),
    ):
        if value is not None:
            found[name] = value
    if panel.words:
        options = {str(at): {"text": word, "index": at} for at, word in enumerate(panel.words)}
        found["mappings"] = [{"type": "value", "options": options}]
    if panel.kind == "stat":
        steps = [{"value": value, "color": colour} for value, colour in panel.thresholds]
        found["thresholds"] = {"mode": "absolute", "steps": steps}
        found["color"] = {"mode": "thresholds"}
        return found
    found["custom"] = {
        "drawStyle": "line",
        "lineInterpolation": "stepAfter" if panel.words else "linear",
        "lineWidth": 2,
        "fillOpacity": 40 if panel.is_stacked else 0,
        "showPoints": "auto",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.is_stacked else "none", "group": "A"},
    }
    found["color"] = {"mode": "palette-classic"}
    return found


def _override(line: Line) -> Json:
    properties: list[Json] = [
        {"id": "color", "value": {"mode": "fixed", "fixedColor": line.colour}}
    ]
    if line.dash:
        style = {"fill": "dash", "dash": list(line.dash)}
        properties.append({"id": "custom.lineStyle", "value": style})
    return {"matcher": {"id": "byName", "options": line.legend}, "properties": properties}


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=2, ensure_ascii=False))
