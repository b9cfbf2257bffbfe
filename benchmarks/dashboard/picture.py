"""Draws the dashboard as SVG: its panels, in their places, from Prometheus' own answers.

It is no Grafana: it knows the few kinds of panels that the dashboard has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import cycle
from math import isfinite

from panels import COLOURS, SECTIONS, SOLID, Line, Panel, Target

from benchmarks.dashboard.prometheus import Prometheus, Series

CELL, ROW, GAP, MARGIN = 54, 34, 8, 16
WIDTH = 24 * CELL + 2 * MARGIN
INK, FAINT, GRID, PAPER, SHEET = "#24292f", "#57606a", "#d8dee4", "#ffffff", "#f3f4f6"
BAND = "#e8ebef"
HEAD, LEGEND_LINE, AXIS = 26, 15, 54
POINTS = 240

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """One series with its look."""

    line: Line
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, in seconds since 1970."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is drawn, in seconds since 1970, and what happened meanwhile."""

    start: float
    end: float
    marks: Sequence[Mark] = ()

    @property
    def step(self) -> float:
        """Seconds between two points."""
        return max(1.0, (self.end - self.start) / POINTS)


def picture(prometheus: Prometheus, span: Span) -> str:
    """Returns the picture of the dashboard over this time."""
    drawn: list[str] = []
    top = float(MARGIN)
    if span.marks:
        names = " · ".join(f"{number} {mark.name}" for number, mark in enumerate(span.marks, 1))
        drawn.append(_text(MARGIN, top + 14, f"In the grey bands: {names}", size=12, fill=INK))
        top += 24
    for section in SECTIONS:
        drawn.append(_text(MARGIN, top + 20, section.title, size=15, weight=600))
        top += 30
        left = 0
        for panel in section.panels:
            if left + panel.columns > 24:
                top, left = top + panel.rows * ROW, 0
            curves = [
                curve
                for target in panel.targets
                for curve in _curves(
                    panel,
                    target,
                    prometheus.query_range(target.expression, span.start, span.end, span.step),
                )
            ]
            x, width = MARGIN + left * CELL, panel.columns * CELL - GAP
            draw = _stat if panel.kind == "stat" else _plot
            drawn.append(_frame(x, top, width, panel.rows * ROW - GAP, panel.title))
            drawn += draw(panel, curves, span, x, top, width, panel.rows * ROW - GAP)
            left += panel.columns
        top += section.panels[-1].rows * ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top + MARGIN:.0f}"'
        f' font-family="DejaVu Sans, Arial, sans-serif"><rect width="100%" height="100%"'
        f' fill="{SHEET}"/>{"".join(drawn)}</svg>'
    )


def _curves(panel: Panel, target: Target, answer: list[Series]) -> list[Curve]:
    others = cycle(Line("", colour) for colour in COLOURS)
    known = {line.legend: line for line in panel.lines}
    found = []
    for series in answer:
        legend = target.legend
        for label, value in series["metric"].items():
            legend = legend.replace(f"{{{{{label}}}}}", value)
        points = [(at, float(value)) for at, value in series["values"]]
        line = known.get(legend) or Line(legend, next(others).colour)
        found.append(Curve(line, [point for point in points if isfinite(point[1])]))
    order = list(known)
    return sorted(found, key=lambda c: order.index(c.line.legend) if c.line.legend in known else 0)


def _stat(
    panel: Panel, curves: list[Curve], _: Span, x: float, y: float, width: float, height: float
) -> list[str]:
    points = curves[0].points if curves else ()
    if not points:
        return [_text(x + width / 2, y + height / 2 + 20, "–", size=26, anchor="middle")]
    value = points[-1][1]
    colour = [c for least, c in panel.thresholds if least is None or value >= least][-1]
    shown = panel.words[int(value)] if panel.words else in_unit(value, panel.unit, panel.decimals)
    size = 26 if len(shown) < 10 else 17
    middle = y + HEAD + (height - HEAD) / 2 + size / 3
    return [
        _text(x + width / 2, middle, shown, size=size, anchor="middle", fill=colour, weight=600)
    ]


def _plot(
    panel: Panel, curves: list[Curve], span: Span, x: float, y: float, width: float, height: float
) -> list[str]:
    legend, legend_height = _legend(curves, x + 10, y + height - 8, width - 20)
    left, right = x + AXIS, x + width - 12
    top, bottom = y + HEAD + 8, y + height - legend_height - 26
    if panel.is_stacked:
        curves = _stacked(curves)
    highest = max((value for curve in curves for _, value in curve.points), default=0.0)
    unit = 1024**2 if panel.unit == "bytes" else 1
    highest = panel.maximum or _round_up(highest / unit) * unit

    def place(point: Point) -> str:
        across = left + (right - left) * (point[0] - span.start) / (span.end - span.start)
        return f"{across:.1f},{bottom - (bottom - top) * min(point[1] / highest, 1):.1f}"

    drawn = _bands(span, left, right, top, bottom)
    drawn += _axes(panel, highest, span, left, right, top, bottom)
    for curve in reversed(curves) if panel.is_stacked else curves:
        drawn += _drawn(curve, place, span.step, fill=panel.is_stacked, steps=bool(panel.words))
    if not curves:
        drawn.append(_text((left + right) / 2, (top + bottom) / 2, "no data", anchor="middle"))
    return drawn + legend


def _drawn(
    curve: Curve, place: Callable[[Point], str], step: float, *, fill: bool, steps: bool
) -> list[str]:
    """Returns the line, in pieces where there is no value for a while."""
    pieces: list[list[Point]] = []
    for point in curve.points:
        if pieces and point[0] - pieces[-1][-1][0] <= 1.5 * step:
            if steps:
                pieces[-1].append((point[0], pieces[-1][-1][1]))
            pieces[-1].append(point)
        else:
            pieces.append([point])
    drawn = []
    for piece in pieces:
        path = " ".join(map(place, piece))
        if fill:
            ends = place((piece[-1][0], 0)), place((piece[0][0], 0))
            drawn.append(
                f'<polygon points="{path} {" ".join(ends)}" fill="{PAPER}"/>'
                f'<polygon points="{path} {" ".join(ends)}" fill="{curve.line.colour}"'
                ' fill-opacity="0.4"/>'
            )
        if len(piece) == 1:
            across, down = path.split(",")
            drawn.append(f'<circle cx="{across}" cy="{down}" r="2" fill="{curve.line.colour}"/>')
        dash = f' stroke-dasharray="{" ".join(map(str, curve.line.dash))}"'
        drawn.append(
            f'<polyline points="{path}" fill="none" stroke="{curve.line.colour}" stroke-width="1.8"'
            f"{dash if curve.line.dash != SOLID else ''}/>"
        )
    return drawn


def _stacked(curves: list[Curve]) -> list[Curve]:
    below: dict[float, float] = {}
    found = []
    for curve in curves:
        points = [(at, value + below.get(at, 0.0)) for at, value in curve.points]
        below |= dict(points)
        found.append(Curve(curve.line, points))
    return found


def _bands(span: Span, left: float, right: float, top: float, bottom: float) -> list[str]:
    drawn = []
    for number, mark in enumerate(span.marks, 1):
        scale = (right - left) / (span.end - span.start)
        start = left + (mark.start - span.start) * scale
        width = (mark.end - mark.start) * scale
        drawn.append(
            f'<rect x="{start:.1f}" y="{top}" width="{width:.1f}" height="{bottom - top}"'
            f' fill="{BAND}"/>'
        )
        middle = start + width / 2
        drawn.append(_text(middle, top - 2, str(number), size=9.5, anchor="middle"))
    return drawn


def _axes(
    panel: Panel, highest: float, span: Span, left: float, right: float, top: float, bottom: float
) -> list[str]:
    drawn = []
    for part in (0, 1) if panel.words else (0, 0.25, 0.5, 0.75, 1):
        height = bottom - (bottom - top) * part
        value = highest * part
        shown = panel.words[part] if panel.words else in_unit(value, panel.unit)  # type: ignore[index]
        drawn.append(
            f'<line x1="{left}" x2="{right}" y1="{height}" y2="{height}" stroke="{GRID}"/>'
        )
        drawn.append(_text(left - 6, height + 4, shown, anchor="end", size=10.5))
    for part in (0, 0.5, 1):
        seconds = (span.end - span.start) * part
        at = left + (right - left) * part
        anchor = {0: "start", 0.5: "middle", 1: "end"}[part]
        shown = f"{seconds // 60:.0f}:{seconds % 60:02.0f}"
        drawn.append(_text(at, bottom + 15, shown, anchor=anchor, size=10.5))
    return drawn


def _legend(curves: list[Curve], left: float, bottom: float, width: float) -> tuple[list[str], int]:
    """Returns the legend above `bottom`, in as many lines as it needs, and its height."""
    lines: list[list[tuple[float, Line]]] = [[]]
    across = 0.0
    for curve in curves:
        needed = 30 + 6.6 * len(curve.line.legend) + 12
        if lines[-1] and across + needed > width:
            lines.append([])
            across = 0.0
        lines[-1].append((across, curve.line))
        across += needed
    drawn = []
    for number, entries in enumerate(reversed(lines)):
        height = bottom - number * LEGEND_LINE
        for offset, line in entries:
            dash = f' stroke-dasharray="{" ".join(map(str, line.dash))}"' if line.dash else ""
            drawn.append(
                f'<line x1="{left + offset}" x2="{left + offset + 24}" y1="{height - 4}"'
                f' y2="{height - 4}" stroke="{line.colour}" stroke-width="2.4"{dash}/>'
            )
            drawn.append(_text(left + offset + 29, height, line.legend, size=10.5, fill=INK))
    return drawn, len(lines) * LEGEND_LINE


def _frame(x: float, y: float, width: float, height: float, title: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill="{PAPER}"'
        f' stroke="{GRID}"/>{_text(x + 10, y + 19, title, size=12.5, fill=INK, weight=600)}'
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float = 11,
    fill: str = FAINT,
    anchor: str = "start",
    weight: int = 400,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"'
        f' font-weight="{weight}">{escape(text)}</text>'
    )


def _round_up(value: float) -> float:
    """Returns the next of 1, 2, 4, 6, 8 times a power of ten; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(f"{int(value)}") - 1) if value >= 1 else 1.0
    while value < power:
        power /= 10
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if value <= step * power * 1.0001)


def in_unit(value: float, unit: str, decimals: int | None = None) -> str:
    """Returns a value as Grafana shows it."""
    match unit:
        case "percentunit":
            return f"{value * 100:.{decimals or 0}f}%"
        case "s" if value and value < 1:
            return f"{value * 1000:.3g} ms"
        case "s":
            return f"{value:.3g} s"
        case "bytes":
            return f"{value / 1024**2:.3g} MiB"
        case "reqps" | "cps" | "ops":
            return f"{value:.3g}/s"
    return f"{value:.{decimals}f}" if decimals is not None else f"{value:,.4g}"
