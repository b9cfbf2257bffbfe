"""The settings of one gateway process: defaults, bounds, and consistency checks.

The string below a field is its sentence in `gateway settings` and docs/settings.md.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from gateway.redis.connection import tls_context
from gateway.settings.urls import HOST, RedisUrl, UpstreamUrl, is_loopback

DEFAULT_UPSTREAM = "https://api.bigcommerce.com"
# The 250 ids that one field takes count as 5 rows each.
MINIMUM_ROWS_PER_REQUEST = 1250
DAY_SECONDS = 24 * 60 * 60
VISIBLE_ASCII = re.compile("[!-~]+")

UpToADay = Annotated[float, Field(ge=0, le=DAY_SECONDS)]


class Settings(BaseModel):
    """The settings of one gateway process."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        url_preserve_empty_path=True,
        use_attribute_docstrings=True,
    )

    store_hash: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """The store's hash, as in its API path; without it the gateway runs on the emulator."""

    access_token: SecretStr | None = None
    """The API account's token, sent as `X-Auth-Token`; scope `store_v2_customers_read_only`."""

    upstream_url: UpstreamUrl = Field(default=DEFAULT_UPSTREAM, validate_default=True)
    """The base URL of the store's API: https, or http on loopback."""

    upstream_plain_http_host: str | None = Field(default=None, pattern=HOST)
    """One more host that may be asked by plain http, such as a Compose service."""

    upstream_ca_file: FilePath | None = None
    """PEM file of the authorities to trust for the upstream, in place of the public ones."""

    request_timeout_seconds: float = Field(default=10.0, gt=0, le=300)
    """Deadline of a client's request and of each upstream read, waits and retries included."""

    upstream_page_size: int = Field(default=250, ge=1, le=250)
    """Rows to request per upstream page; the upstream may answer with fewer."""

    rate_limit_reserve: int = Field(default=15, ge=0, le=100_000)
    """Stop background refreshes when this many requests of the store's quota are left."""

    lookup_window_milliseconds: float = Field(default=3.0, ge=0, le=1000)
    """How long lookups by id are collected before they are sent as one batch."""

    cache_ttl_seconds: UpToADay = 15.0
    """How long a cached value is fresh; 0 turns the cache off."""

    cache_stale_while_revalidate_seconds: UpToADay = 60.0
    """How long a value that is no longer fresh is served while a refresh runs."""

    cache_stale_if_error_seconds: UpToADay = 600.0
    """How long a value that is no longer fresh is served when the upstream fails or is slow."""

    stale_patience_seconds: float = Field(default=1.0, ge=0, le=300)
    """How long a request waits for the upstream before it takes a stale value."""

    cache_max_bytes: int = Field(default=64 * 1024**2, ge=1024**2)
    """Memory for cached values in each process."""

    redis_url: RedisUrl | None = None
    """The Redis through which gateways share cached values; `rediss://` for TLS."""

    redis_key_prefix: str = Field(default="segments-gateway", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """Prefix of every key in Redis."""

    redis_timeout_milliseconds: float = Field(default=100.0, gt=0, le=10_000)
    """Time limit of one Redis call; when it ends, the gateway continues without Redis."""

    redis_ca_file: FilePath | None = None
    """PEM file of the authorities to trust for Redis, in place of the system's."""

    redis_certificate_file: FilePath | None = None
    """PEM file of the gateway's client certificate for Redis; it may hold the key, too."""

    redis_key_file: FilePath | None = None
    """PEM file of that certificate's key, without a password."""

    max_body_bytes: int = Field(default=1024**2, ge=1024)
    """Maximum size of a request body; a larger one gets status 413."""

    max_query_tokens: int = Field(default=2000, ge=50)
    """Maximum tokens of a document, and maximum fields with its fragments written out."""

    max_query_depth: int = Field(default=15, ge=3, le=100)
    """Maximum nesting of the fields of a document."""

    max_query_aliases: int = Field(default=100, ge=0)
    """Maximum aliases in a document."""

    max_rows_per_request: int = Field(default=2500, ge=MINIMUM_ROWS_PER_REQUEST)
    """Maximum rows that all fields of one request may ask for; an id counts as 5."""

    max_representations: int = Field(default=1000, ge=0)
    """Maximum entities that a router may ask for in one request; 0 allows none."""

    subgraph_contact_name: Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=r"^\P{Cc}+$")
    ] = "bigcommerce-segments-gateway"
    """The team to ask about this subgraph, in its `@contact`."""

    subgraph_contact_url: str | None = Field(
        default=None, pattern=r"^(https?://|mailto:)[^\s\p{Cc}]+$"
    )
    """Where to reach that team: a page, a chat, or a mailto address."""

    subgraph_node: bool = False
    """Whether the subgraph offers `node` and `nodes`; only one subgraph of a graph can."""

    graphiql: bool = True
    """Whether browsers get GraphiQL at /graphql."""

    emulator_segments: int = Field(default=120, ge=0, le=1000)
    """Segments in the emulator inside the process."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The lowest level that is logged."""

    log_format: Literal["text", "json"] = "text"
    """Format of the log: lines of text, or a JSON object a line."""

    keep_alive_seconds: int = Field(default=75, ge=1, le=DAY_SECONDS)
    """How long an idle connection stays open; it has to be longer than at the load balancer."""

    shutdown_grace_seconds: int = Field(default=30, ge=0, le=3600)
    """How long requests in flight may take to finish at a stop."""

    drain_seconds: float = Field(default=3.0, ge=0, le=600)
    """How long the gateway serves on after SIGTERM, for load balancers to notice."""

    @field_validator("access_token")
    @classmethod
    def _check_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not VISIBLE_ASCII.fullmatch(token.get_secret_value()):
            raise ValueError("It has to be one line of visible ASCII characters")
        return token

    @model_validator(mode="after")
    def _check_upstream(self) -> Self:
        if self.store_hash is not None and self.access_token is None:
            raise ValueError("GATEWAY_STORE_HASH is set without GATEWAY_ACCESS_TOKEN: set both.")
        if self.access_token is not None and self.store_hash is None:
            raise ValueError("GATEWAY_ACCESS_TOKEN is set without GATEWAY_STORE_HASH: set both.")
        for field in ("upstream_url", "upstream_ca_file"):
            if self.uses_emulator and field in self.model_fields_set:
                raise ValueError(
                    f"GATEWAY_{field.upper()} is set without GATEWAY_STORE_HASH and "
                    "GATEWAY_ACCESS_TOKEN: set all three, or none to run on the emulator."
                )
        is_http = self.upstream_url.scheme == "http"
        host = (self.upstream_url.host or "").strip("[]")
        is_named = host == (self.upstream_plain_http_host or "").lower()
        if is_http:
            if not is_named and not is_loopback(host):
                raise ValueError(
                    "GATEWAY_UPSTREAM_URL would send the token by plain http: use https, or, if "
                    "its network is your own, name the host alone, without scheme and port, in "
                    "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST."
                )
            if self.upstream_ca_file is not None:
                raise ValueError(
                    "GATEWAY_UPSTREAM_CA_FILE is for TLS: GATEWAY_UPSTREAM_URL has to begin with "
                    "https://."
                )
        if self.upstream_plain_http_host is not None and not (is_http and is_named):
            raise ValueError(
                "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST has no effect: leave it out, unless "
                "GATEWAY_UPSTREAM_URL begins with http:// and this is its host."
            )
        if self.upstream_ca_file is not None:
            _check_authorities("GATEWAY_UPSTREAM_CA_FILE", self.upstream_ca_file)
        return self

    @model_validator(mode="after")
    def _check_redis_tls(self) -> Self:
        files = (self.redis_ca_file, self.redis_certificate_file, self.redis_key_file)
        uses_tls = (
            self.redis_url is not None and self.redis_url.get_secret_value().scheme == "rediss"
        )
        if any(files) and not uses_tls:
            raise ValueError(
                "GATEWAY_REDIS_CA_FILE, GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE "
                "are for TLS: GATEWAY_REDIS_URL has to begin with rediss://."
            )
        if self.redis_key_file is not None and self.redis_certificate_file is None:
            raise ValueError(
                "GATEWAY_REDIS_KEY_FILE is set without GATEWAY_REDIS_CERTIFICATE_FILE: set both."
            )
        if self.redis_ca_file is not None:
            _check_authorities("GATEWAY_REDIS_CA_FILE", self.redis_ca_file)
        if self.redis_certificate_file is not None:
            try:
                tls_context(None, self.redis_certificate_file, self.redis_key_file)
            except OSError:
                raise ValueError(
                    "GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE are no pair: they "
                    "have to be PEM, the key without a password, in one file or each in its own."
                ) from None
        return self

    @property
    def uses_emulator(self) -> bool:
        """Whether the upstream is the emulator inside the process."""
        return self.store_hash is None

    def upstream_name(self) -> str:
        """Returns the upstream's name in the log."""
        if self.uses_emulator:
            return f"the emulator inside this process ({self.emulator_segments} segments)"
        return f"store {self.store_hash} at {self.upstream_url}"

    def summary(self) -> str:
        """Returns the first line of the log: upstream, cache and authentication."""
        redis = "" if self.redis_url is None else " and Redis"
        cache = (
            f"memory{redis}, {self.cache_max_bytes // 1024**2} MiB, "
            f"fresh for {self.cache_ttl_seconds:g} s"
            if self.cache_ttl_seconds
            else "off"
        )
        hint = (
            "; set GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN for a real store"
            if self.uses_emulator
            else ""
        )
        return (
            f"upstream: {self.upstream_name()}; cache: {cache}; "
            f"authentication of clients: none{hint}"
        )


def _check_authorities(variable: str, file: FilePath) -> None:
    try:
        tls_context(file)
    except (OSError, ValueError):
        raise ValueError(f"{variable} holds no certificates: it has to be PEM.") from None
