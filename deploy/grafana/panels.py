"""The panels of the dashboard, as a table; dashboard.py makes of them what Grafana reads.

Each value of a label has a colour and a dash of its own, in all panels: lines stay apart for the
colour-blind, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from gateway.app.check.operations import CHECKED_OPERATIONS
from gateway.errors import ErrorCode
from gateway.instrumentation import MUTATION, QUERY, CacheResult, Outcome
from gateway.telemetry.counting import UNKNOWN_TYPE

# By Okabe and Ito (2008), without black and the pale yellow: for dark and light backgrounds.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PINK, GREY = "#56B4E9", "#CC79A7", "#9A9A9A"
COLOURS: Final = (BLUE, ORANGE, GREEN, RED, SKY, PINK, GREY)
SOLID, DASHED, DOTTED = (), (10, 6), (2, 5)
SELECTED: Final = 'job="$job",instance=~"$instance"'

Dash = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """How a series looks, by the text of its legend."""

    legend: str
    colour: str
    dash: Dash = SOLID


def lines(*legends: str) -> tuple[Line, ...]:
    """Returns lines that differ in their colour, and after seven of them in their dash."""
    looks = product((SOLID, DASHED, DOTTED), COLOURS)
    return tuple(
        Line(legend, colour, dash) for legend, (dash, colour) in zip(legends, looks, strict=False)
    )


TYPES = lines(QUERY, MUTATION, UNKNOWN_TYPE)
CODES = lines(*reversed(ErrorCode))
OPERATIONS = lines(*(operation.name for operation in CHECKED_OPERATIONS))
OUTCOMES = lines(
    *(Outcome.OK, Outcome.RATE_LIMITED, Outcome.TIMEOUT, Outcome.FAILED),
    *(Outcome.REFUSED, Outcome.FORBIDDEN, Outcome.UNREACHABLE, Outcome.CANCELLED),
)
COLLECTIONS = lines(
    *("segments", "customers", "shopper-profiles"),
    *("segments/*/shopper-profiles", "shopper-profiles/*/segments"),
)
RESULTS = (
    Line(CacheResult.HIT, BLUE),
    Line(CacheResult.STALE, ORANGE, DASHED),
    Line(CacheResult.COALESCED, GREEN),
    Line(CacheResult.MISS, RED, DOTTED),
)
QUANTILES = (Line("p50", BLUE), Line("p95", ORANGE, DASHED), Line("p99", RED, DOTTED))


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel, and its legend, which may have labels as `{{name}}`."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel; `lines` has a line for each legend that it can show."""

    title: str
    description: str
    unit: str
    targets: Sequence[Target]
    lines: Sequence[Line] = ()
    kind: Literal["stat", "timeseries"] = "timeseries"
    columns: int = 8
    rows: int = 8
    is_stacked: bool = False
    minimum: float | None = 0
    maximum: float | None = None
    decimals: int | None = None
    # Values from which a stat has another colour.
    thresholds: Sequence[tuple[float | None, str]] = ((None, BLUE),)
    # The words in place of 0 and of 1.
    words: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its panels."""

    title: str
    panels: Sequence[Panel]


def series(metric: str, *more: str) -> str:
    """Returns the selector of a metric of the gateways that are chosen."""
    return f"{metric}{{{','.join((SELECTED, *more))}}}"


def rate(metric: str, *more: str) -> str:
    """Returns the rate of a counter."""
    return f"rate({series(metric, *more)}[$__rate_interval])"


def quantiles(metric: str, *more: str) -> tuple[Target, ...]:
    """Returns the three quantiles of a histogram."""
    by_bucket = f"sum by (le) ({rate(f'{metric}_bucket', *more)})"
    return tuple(
        Target(f"histogram_quantile({percent / 100:g}, {by_bucket})", f"p{percent}")
        for percent in (50, 95, 99)
    )


def share(metric: str, chosen: str, by: str) -> str:
    """Returns the share of the chosen series in all, by a label; none where there is no rate."""
    return f"sum by ({by}) ({rate(metric, chosen)}) / (sum by ({by}) ({rate(metric)}) > 0)"


ANSWERS = "graphql_server_request_duration_seconds"
STORE_SECONDS = "http_client_request_duration_seconds"
STORE_REQUESTS = "gateway_upstream_requests_total"
CACHE_REQUESTS = "gateway_cache_requests_total"
WITH_A_NAME = 'graphql_operation_name!=""'
ALL_ANSWERS = f"sum({rate(f'{ANSWERS}_count')})"
ALL_ERRORS = f"(sum({rate('graphql_server_response_errors_total')}) or vector(0))"
QUOTA_LEFT = series("gateway_upstream_quota_remaining")
QUOTA_LIMIT = series("gateway_upstream_quota_limit")
CIRCUIT = f"max({series('gateway_upstream_circuit_open')})"
REDIS_AWAY = f"1 - min({series('gateway_redis_up')})"
PER_ANSWER = f"sum({rate(STORE_REQUESTS)}) / ({ALL_ANSWERS} > 0)"


def stat(
    title: str,
    description: str,
    unit: str,
    expression: str,
    *thresholds: tuple[float, str],
    decimals: int | None = None,
    words: tuple[str, str] | None = None,
) -> Panel:
    """Returns a panel with one number of now."""
    return Panel(
        title,
        description,
        unit,
        (Target(expression, title),),
        kind="stat",
        columns=4,
        rows=4,
        thresholds=((None, BLUE), *thresholds),
        decimals=decimals,
        words=words,
    )


NOW = Section(
    "Now",
    (
        stat("Requests", "Operations of clients that were answered.", "reqps", ALL_ANSWERS),
        stat(
            "Errors per request",
            "Errors in answers, to one request. An answer can have several.",
            "percentunit",
            f"{ALL_ERRORS} / ({ALL_ANSWERS} > 0)",
            *((0.01, ORANGE), (0.05, RED)),
            decimals=1,
        ),
        stat(
            "Store requests per request",
            "Requests sent to the store for one request of a client: what the cache does not save.",
            "none",
            PER_ANSWER,
            *((0.5, ORANGE), (1, RED)),
            decimals=3,
        ),
        stat(
            "Quota left",
            "The part of the store's quota that is left, for all apps of the store.",
            "percentunit",
            f"min({QUOTA_LEFT} / ({QUOTA_LIMIT} > 0))",
            decimals=0,
        ),
        stat(
            "Circuit",
            "Open while an operation has failed so often that it is only probed.",
            "none",
            CIRCUIT,
            (1, RED),
            words=("closed", "open"),
        ),
        stat(
            "Redis",
            "Away while Redis is set and cannot be used: each process then has a cache of its own.",
            "none",
            REDIS_AWAY,
            (1, RED),
            words=("up", "away"),
        ),
    ),
)

CLIENTS = Section(
    "Clients: requests and latency",
    (
        Panel(
            "Requests by type",
            "Operations of clients. `unknown` was refused before its execution, or broken off.",
            "reqps",
            (
                Target(
                    f"sum by (graphql_operation_type) ({rate(f'{ANSWERS}_count')})",
                    "{{graphql_operation_type}}",
                ),
            ),
            TYPES,
        ),
        Panel(
            "Latency of queries",
            "Seconds from a request to the end of its answer.",
            "s",
            quantiles(ANSWERS, f'graphql_operation_type="{QUERY}"'),
            QUANTILES,
        ),
        Panel(
            "Latency of mutations",
            "Seconds from a request to the end of its answer. Empty without mutations.",
            "s",
            quantiles(ANSWERS, f'graphql_operation_type="{MUTATION}"'),
            QUANTILES,
        ),
        Panel(
            "Errors by code",
            "Errors in answers; docs/errors.md has the codes. Empty without errors.",
            "cps",
            (
                Target(
                    f"sum by (code) ({rate('graphql_server_response_errors_total')}) > 0",
                    "{{code}}",
                ),
            ),
            CODES,
        ),
        Panel(
            "Active requests",
            "Requests that are being answered: they grow where the store is slow.",
            "short",
            (Target(f"sum({series('graphql_server_active_requests')})", "active"),),
            (Line("active", BLUE),),
        ),
        Panel(
            "Trusted operations",
            "The ten trusted operations that are asked most. Empty without trusted documents.",
            "reqps",
            (
                Target(
                    "topk(10, sum by (graphql_operation_name) "
                    f"({rate(f'{ANSWERS}_count', WITH_A_NAME)}))",
                    "{{graphql_operation_name}}",
                ),
            ),
        ),
    ),
)


def cache_share(title: str, result: CacheResult, description: str) -> Panel:
    """Returns the panel of the share of one result in the keys of each collection."""
    expression = share(CACHE_REQUESTS, f'result="{result}"', "collection")
    return Panel(
        title,
        description,
        "percentunit",
        (Target(expression, "{{collection}}"),),
        COLLECTIONS,
        columns=6,
        maximum=1,
    )


GOT = Section(
    "What clients got",
    (
        cache_share("Hits", CacheResult.HIT, "Share of the keys of a collection that were fresh."),
        cache_share(
            "Stale",
            CacheResult.STALE,
            "Share of keys that were served stale: during a refresh, or while the store fails.",
        ),
        cache_share(
            "Coalesced",
            CacheResult.COALESCED,
            "Share of keys that another request was reading already.",
        ),
        cache_share("Misses", CacheResult.MISS, "Share of keys that were read from the store."),
        Panel(
            "Keys by result",
            "Keys that were read through the cache, by how.",
            "ops",
            (Target(f"sum by (result) ({rate(CACHE_REQUESTS)})", "{{result}}"),),
            RESULTS,
            columns=12,
            is_stacked=True,
        ),
        Panel(
            "Answers from the response cache",
            "Whether the whole answer was there. A hit sends the bytes of an earlier one.",
            "reqps",
            (
                Target(
                    f"sum by (result) ({rate('gateway_response_cache_requests_total')})",
                    "{{result}}",
                ),
            ),
            (Line(CacheResult.HIT, BLUE), Line(CacheResult.MISS, RED, DOTTED)),
            columns=12,
            is_stacked=True,
        ),
    ),
)

STORE = Section(
    "What the store saw",
    (
        Panel(
            "Requests by operation",
            "Requests sent to the store, retries included.",
            "reqps",
            (Target(f"sum by (operation) ({rate(STORE_REQUESTS)})", "{{operation}}"),),
            OPERATIONS,
        ),
        Panel(
            "Requests by outcome",
            "How the store answered. `forbidden`: it refused the token; `rate_limited`: 429.",
            "reqps",
            (Target(f"sum by (outcome) ({rate(STORE_REQUESTS)})", "{{outcome}}"),),
            OUTCOMES,
        ),
        Panel(
            "Latency of the store",
            "Seconds from a request to the store to the end of its answer.",
            "s",
            quantiles(STORE_SECONDS),
            QUANTILES,
        ),
        Panel(
            "Quota",
            "Requests left in the window of the store's quota, as last reported; and its limit.",
            "short",
            (
                # +Inf before the first answer would leave the axis without a scale.
                Target(f"min({QUOTA_LEFT} < Inf)", "left"),
                Target(f"max({QUOTA_LIMIT} > 0)", "limit"),
            ),
            (Line("left", BLUE), Line("limit", RED, DASHED)),
        ),
        Panel(
            "Store requests per request",
            "Requests sent to the store for one request of a client.",
            "none",
            (Target(PER_ANSWER, "store requests"),),
            (Line("store requests", BLUE),),
        ),
        Panel(
            "Batches",
            "Ids that were looked up together: the mean, and the size that 95 % do not exceed.",
            "short",
            (
                Target(
                    f"sum({rate('gateway_lookup_batch_size_sum')})"
                    f" / (sum({rate('gateway_lookup_batch_size_count')}) > 0)",
                    "mean",
                ),
                Target(
                    "histogram_quantile(0.95, "
                    f"sum by (le) ({rate('gateway_lookup_batch_size_bucket')}))",
                    "p95",
                ),
            ),
            (Line("mean", BLUE), Line("p95", ORANGE, DASHED)),
        ),
    ),
)

STATE = Section(
    "State",
    (
        Panel(
            "Circuit and Redis",
            "Whether the circuit was open, and whether Redis was away.",
            "none",
            (Target(CIRCUIT, "circuit open"), Target(REDIS_AWAY, "Redis away")),
            (Line("circuit open", RED), Line("Redis away", BLUE, DASHED)),
            maximum=1,
            words=("no", "yes"),
        ),
        Panel(
            "Memory",
            "Resident memory of each gateway: of its process, or of all its workers.",
            "bytes",
            (
                Target(
                    f"sum by (instance) ({series('process_resident_memory_bytes')})", "{{instance}}"
                ),
            ),
        ),
        Panel(
            "Cache",
            "Bytes of cached values and answers in the memory of each gateway.",
            "bytes",
            (Target(f"sum by (instance) ({series('gateway_cache_bytes')})", "{{instance}}"),),
        ),
    ),
)

SECTIONS: Final = (NOW, CLIENTS, GOT, STORE, STATE)
