"""The settings themselves: each a name with its unit, a default, bounds and one sentence."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

PREFIX = "GATEWAY_"
DEFAULT_UPSTREAM = "https://api.bigcommerce.com"

# 250 ids, as many as one field takes, count 5 each.
FEWEST_ROWS_PER_REQUEST = 1250


class Knobs(BaseModel):
    """What can be set, each within its bounds; `Settings` checks what the bounds do not."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    store_hash: str | None = Field(
        default=None, description="The store's hash, as in its API path; unset: the emulator."
    )
    access_token: SecretStr | None = Field(
        default=None,
        description="The API account's token, sent as `X-Auth-Token`; "
        "scope `store_v2_customers_read_only`.",
    )
    upstream_url: str = Field(
        default=DEFAULT_UPSTREAM,
        description="Where the store's API is; https, or http on loopback.",
    )
    upstream_plain_http_host: str | None = Field(
        default=None,
        description="One more host that may be asked by plain http, such as a compose service.",
    )
    upstream_ca_file: Path | None = Field(
        default=None,
        description="The certificates that the upstream's own is checked with, in place of the "
        "public ones.",
    )
    request_timeout_seconds: float = Field(
        default=10.0,
        gt=0,
        le=300,
        description="How long one read of the upstream may take, waits and retries included.",
    )
    upstream_page_size: int = Field(
        default=250,
        ge=1,
        le=250,
        description="Rows asked for at once; the answer's own size decides.",
    )
    rate_limit_reserve: int = Field(
        default=15,
        ge=0,
        le=100_000,
        description="Requests left of the store's quota at which only reads that must are sent.",
    )
    lookup_window_milliseconds: float = Field(
        default=3.0,
        ge=0,
        le=1000,
        description="How long lookups by id gather before they leave together.",
    )
    cache_ttl_seconds: float = Field(
        default=15.0,
        ge=0,
        le=86400,
        description="How long an answer counts as fresh; 0 keeps nothing.",
    )
    cache_stale_while_revalidate_seconds: float = Field(
        default=60.0,
        ge=0,
        le=86400,
        description="How long after that it is still given, while a newer one is read.",
    )
    cache_stale_if_error_seconds: float = Field(
        default=600.0,
        ge=0,
        le=86400,
        description="How long after being fresh it is given where the upstream fails.",
    )
    stale_patience_seconds: float = Field(
        default=1.0,
        ge=0,
        le=300,
        description="How long a request with stale data at hand waits for the upstream.",
    )
    cache_max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024 * 1024,
        description="Memory for cached answers in each process.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="The Redis that processes share answers and flights in; `rediss://` for TLS.",
    )
    redis_key_prefix: str = Field(
        default="segments-gateway", description="What every key in Redis begins with."
    )
    redis_timeout_milliseconds: float = Field(
        default=100.0,
        gt=0,
        le=10_000,
        description="How long Redis may take to answer, before it is passed over.",
    )
    redis_ca_file: Path | None = Field(
        default=None,
        description="The certificates that Redis' own is checked with, in place of the system's.",
    )
    redis_certificate_file: Path | None = Field(
        default=None,
        description="The gateway's own certificate for Redis, its key inside or in the next.",
    )
    redis_key_file: Path | None = Field(default=None, description="The key of that certificate.")
    max_body_bytes: int = Field(
        default=1024 * 1024,
        ge=1024,
        description="The largest body of a request; more is status 413.",
    )
    max_query_tokens: int = Field(
        default=2000,
        ge=50,
        description="How long a document may be: in tokens, and in fields, fragments written out.",
    )
    max_query_depth: int = Field(
        default=15, ge=3, le=100, description="How deep the fields of a document may be nested."
    )
    max_query_aliases: int = Field(
        default=100, ge=0, description="How many aliases a document may have."
    )
    max_rows_per_request: int = Field(
        default=2500,
        ge=FEWEST_ROWS_PER_REQUEST,
        description="How many rows all fields of one request may ask for; an id counts as 5.",
    )
    max_representations: int = Field(
        default=1000,
        ge=0,
        description="How many entities a router may ask for in one request; 0 is none at all.",
    )
    subgraph_contact_name: str = Field(
        default="bigcommerce-segments-gateway",
        description="Whom other teams ask about this subgraph, in its `@contact`.",
    )
    subgraph_contact_url: str | None = Field(
        default=None, description="Where they find them: a page, a chat, a mailto address."
    )
    subgraph_node: bool = Field(
        default=False,
        description="Whether the subgraph offers `node` and `nodes`: one of a graph can.",
    )
    graphiql: bool = Field(default=True, description="Whether browsers get GraphiQL at /graphql.")
    emulator_segments: int = Field(
        default=120, ge=0, le=1000, description="Segments in the emulator inside the process."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What is logged: this and everything worse."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="How it is logged: lines of text, or of JSON."
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        le=86400,
        description="How long an idle connection stays open: longer than the balancer keeps it.",
    )
    shutdown_grace_seconds: int = Field(
        default=30,
        ge=0,
        le=3600,
        description="How long requests in flight may take to finish at a stop.",
    )
    drain_seconds: float = Field(
        default=3.0,
        ge=0,
        le=600,
        description="How long SIGTERM lets balancers notice, before the stop begins.",
    )
