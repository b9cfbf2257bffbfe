"""For all tests: Hypothesis' profiles, and no skips in CI (where the variable `CI` is set)."""

import logging
import os
from collections.abc import Generator, Iterator

import pytest
import stamina
from hypothesis import HealthCheck, settings

# No retries and no backoff, so that tests count requests exactly and wait for nothing. Tests of
# retries set their own number of attempts.
stamina.set_testing(True, attempts=1)

# A loaded machine is slow; that is no failure of a property.
untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", untimed)
settings.register_profile("fast", untimed, max_examples=20)  # `make test-fast`
# `pytest --hypothesis-profile=long tests/properties/…`: after a change of what a property tests.
settings.register_profile("long", untimed, max_examples=20_000)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Restores levels, handlers and loggers that a command under test has changed."""
    root = logging.getLogger()
    level, handlers = root.level, [*root.handlers]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


MAY_SKIP = not os.environ.get("CI")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # An expected failure is reported as skipped too, and is none.
    if report.skipped and not MAY_SKIP and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and not MAY_SKIP:
        report.outcome = "failed"
        report.longrepr = f"skipped as a whole, where nothing may be: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
