"""Runs a minute of mixed load, then each failure, and draws the dashboard of all of it.

Prints what Prometheus answers to each query of the dashboard after the minute, and the alerts that
fire during each failure.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep, time

from panels import SECTIONS

from benchmarks.dashboard.mixed_load import mixed_load
from benchmarks.dashboard.observed import FAILURES, Observed, observed_gateway
from benchmarks.dashboard.picture import Mark, Span, picture
from benchmarks.dashboard.prometheus import Prometheus

PICTURE = Path("docs/images/dashboard.png")
MINUTE = 60.0
QUIET_SECONDS = 12.0
FAILURE_SECONDS = 14.0
QUOTA = 900
# Short times, so that each one passes within the failures.
SETTINGS = {
    "CACHE_TTL_SECONDS": "5",
    "CACHE_STALE_WHILE_REVALIDATE_SECONDS": "10",
    "REQUEST_TIMEOUT_SECONDS": "4",
}


def answers(prometheus: Prometheus) -> None:
    """Prints the answer to each query of the dashboard."""
    for panel in (panel for section in SECTIONS for panel in section.panels):
        for target in panel.targets:
            found = prometheus.query(target.expression)
            if not found:
                print(f"| {panel.title} | {target.legend} | empty |", flush=True)
            for series in found:
                legend = " ".join(series["metric"].values()) or target.legend
                value = f"{float(series['value'][1]):.4g}"
                print(f"| {panel.title} | {legend} | {value} |", flush=True)


def failures(observed: Observed) -> list[Mark]:
    """Breaks one thing after another, prints the alerts that fire, and returns when it was."""
    marks = []
    for failure in FAILURES:
        began_at = time()
        failure.breaks(observed)
        fired = observed.prometheus.wait_until_firing(*failure.alerts)
        seconds = time() - began_at
        sleep(max(0.0, FAILURE_SECONDS - seconds))
        print(f"| {failure.name} | {', '.join(sorted(fired))} | {seconds:.0f} s |", flush=True)
        if observed.gateway_process.is_running:
            marks.append(Mark(failure.name, began_at, time()))
            observed.recover()
            observed.prometheus.wait_until_firing()
            sleep(QUIET_SECONDS)
    return marks


def main() -> int:
    """Runs all of it, and writes the picture."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("Chromium draws the picture: on Debian, apt-get install chromium", file=sys.stderr)
        return 1
    with TemporaryDirectory() as name:
        folder = Path(name)
        with observed_gateway(folder, SETTINGS, quota=QUOTA) as observed:
            with mixed_load(observed.gateway):
                sleep(QUIET_SECONDS)
                began_at = time()
                sleep(MINUTE)
                answers(observed.prometheus)
                # All but the last, after which there is nothing to draw.
                marks = failures(observed)
            span = Span(began_at, time() - FAILURE_SECONDS, marks)
            drawn = picture(observed.prometheus, span)
        page = folder / "dashboard.html"
        page.write_text(f"<style>body {{margin: 0}}</style>{drawn}", encoding="utf-8")
        width, height = (
            drawn.split('width="')[1].split('"')[0],
            drawn.split('height="')[1].split('"')[0],
        )
        subprocess.run(
            [
                *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                *("--host-resolver-rules=MAP * ~NOTFOUND", f"--window-size={width},{height}"),
                *(f"--screenshot={PICTURE.resolve()}", page.as_uri()),
            ],
            check=True,
            capture_output=True,
        )
    print(f"wrote {PICTURE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
