"""The settings themselves: each a name with its unit, a default, bounds and one sentence."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from gateway.settings.redis_url import (
    checked_file,
    checked_prefix,
    checked_redis_url,
    complaint_about_tls,
)
from gateway.settings.upstream_url import checked_base_url, is_host, is_loopback, plain_http_host

PREFIX = "GATEWAY_"
DEFAULT_UPSTREAM = "https://api.bigcommerce.com"

CONTACT_URL = re.compile(r"(?:https?://|mailto:)\S+$")
STORE_HASH = re.compile(r"[A-Za-z0-9_-]{1,64}")
# 250 ids, as many as one field takes, count 5 each.
FEWEST_ROWS_PER_REQUEST = 1250


class Settings(BaseModel):
    """The settings of one gateway process, checked."""

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
    cache_max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024 * 1024,
        description="Memory for cached answers in each process.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="The Redis that processes share answers, flights and quota in; "
        "`rediss://` for TLS.",
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

    @field_validator("store_hash")
    @classmethod
    def _hash_fits_a_path(cls, store_hash: str | None) -> str | None:
        if store_hash is not None and not STORE_HASH.fullmatch(store_hash):
            raise ValueError("it has to be letters, digits, - and _, at most 64 of them")
        return store_hash

    @field_validator("access_token")
    @classmethod
    def _token_fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        value = "x" if token is None else token.get_secret_value()
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("it has to be one line of visible ASCII characters")
        return token

    @field_validator("upstream_url")
    @classmethod
    def _url_is_a_base(cls, url: str) -> str:
        return checked_base_url(url)

    @field_validator("upstream_plain_http_host")
    @classmethod
    def _plain_http_host_is_bare(cls, host: str | None) -> str | None:
        if host is not None and not is_host(host):
            raise ValueError("it has to be a host alone, without scheme and port, such as emulator")
        return host

    @field_validator("redis_url")
    @classmethod
    def _redis_can_be_found(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            checked_redis_url(url.get_secret_value())
        return url

    @field_validator("redis_key_prefix")
    @classmethod
    def _prefix_fits_a_key(cls, prefix: str) -> str:
        return checked_prefix(prefix)

    @field_validator("redis_ca_file", "redis_certificate_file", "redis_key_file")
    @classmethod
    def _file_can_be_read(cls, path: Path | None) -> Path | None:
        return checked_file(path)

    @field_validator("subgraph_contact_name")
    @classmethod
    def _contact_has_a_name(cls, name: str) -> str:
        if not name.strip() or not name.isprintable():
            raise ValueError("it has to be one line of text, such as a team's name")
        return name

    @field_validator("subgraph_contact_url")
    @classmethod
    def _contact_can_be_followed(cls, url: str | None) -> str | None:
        if url is not None and not (url.isprintable() and CONTACT_URL.match(url)):
            raise ValueError("it has to begin with https://, http:// or mailto:")
        return url

    @model_validator(mode="after")
    def _is_a_whole_configuration(self) -> Self:
        if self.store_hash is not None and self.access_token is None:
            raise ValueError("GATEWAY_STORE_HASH is set without GATEWAY_ACCESS_TOKEN: set both.")
        if self.access_token is not None and self.store_hash is None:
            raise ValueError("GATEWAY_ACCESS_TOKEN is set without GATEWAY_STORE_HASH: set both.")
        if "upstream_url" in self.model_fields_set and self.uses_emulator:
            raise ValueError(
                "GATEWAY_UPSTREAM_URL is set without GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN: "
                "set all three, or none to run on the emulator."
            )
        host = plain_http_host(self.upstream_url)
        named = (self.upstream_plain_http_host or "").lower()
        if host is not None and host != named and not is_loopback(host):
            raise ValueError(
                "GATEWAY_UPSTREAM_URL would send the token by plain http: use https, or name the "
                "host in GATEWAY_UPSTREAM_PLAIN_HTTP_HOST if its network is your own."
            )
        return self

    @model_validator(mode="after")
    def _tls_files_fit_redis(self) -> Self:
        url = None if self.redis_url is None else self.redis_url.get_secret_value()
        files = (self.redis_ca_file, self.redis_certificate_file, self.redis_key_file)
        complaint = complaint_about_tls(url, *files)
        if complaint is not None:
            raise ValueError(complaint)
        return self

    @property
    def uses_emulator(self) -> bool:
        """Whether the upstream is the emulator inside the process."""
        return self.store_hash is None

    def upstream_name(self) -> str:
        """Returns what the upstream is called in the log."""
        if self.uses_emulator:
            return f"the emulator inside this process ({self.emulator_segments} segments)"
        return f"store {self.store_hash} at {self.upstream_url}"

    def summary(self) -> str:
        """Returns the first line of the log: which upstream, which cache, which authentication."""
        redis = "" if self.redis_url is None else " and Redis"
        fresh = f"fresh for {self.cache_ttl_seconds:g} s" if self.cache_ttl_seconds else "off"
        hint = (
            "; set GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN for a real store"
            if self.uses_emulator
            else ""
        )
        return (
            f"upstream: {self.upstream_name()}; "
            f"cache: memory{redis}, {self.cache_max_bytes // 1024**2} MiB, {fresh}; "
            f"authentication of clients: none{hint}"
        )
