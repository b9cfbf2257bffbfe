"""The settings of one gateway process: defaults, bounds, and consistency checks.

The string below a field is its sentence in `gateway settings` and docs/settings.md.
"""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    StringConstraints,
    model_validator,
)

from gateway.settings.access_token import AccessToken
from gateway.settings.browsers import AllowedHosts, Origins
from gateway.settings.clients import Algorithms, ApiKeysFile, Proxies
from gateway.settings.consistency import check_consistency
from gateway.settings.urls import HOST, JwksUrl, RedisUrl, UpstreamUrl, is_loopback

DEFAULT_UPSTREAM = "https://api.bigcommerce.com"
# The 250 ids that one field takes count as 5 rows each.
MINIMUM_ROWS_PER_REQUEST = 1250
# A list in the variables of a request has at most this many values.
LONGEST_LIST = 2000
DAY_SECONDS = 24 * 60 * 60

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

    access_token: AccessToken | None = None
    """The API account's token, sent as `X-Auth-Token`; its scope says what the gateway may do."""

    access_token_file: FilePath | None = None
    """File with that token, in place of the variable."""

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
    """Requests of the store's quota that are left for clients within their share."""

    lookup_window_milliseconds: float = Field(default=3.0, ge=0, le=1000)
    """How long lookups by id are collected before they are sent as one batch."""

    write_batch_segments: int = Field(default=10, ge=1, le=250)
    """Segments to write in one upstream request; the upstream may take fewer."""

    write_batch_profiles: int = Field(default=50, ge=1, le=50)
    """Shopper profiles to write in one upstream request; BigCommerce takes at most 50."""

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

    response_cache_max_bytes: int = Field(default=16 * 1024**2, ge=0)
    """Memory for whole answers in each process; 0 keeps none."""

    shared_caches: bool = False
    """Whether a CDN or proxy in front may store what clients without credentials get."""

    redis_url: RedisUrl | None = None
    """The Redis through which gateways share cached values; `rediss://` for TLS."""

    redis_url_file: FilePath | None = None
    """File with that URL, in place of the variable."""

    redis_plain_tcp_host: str | None = Field(default=None, pattern=HOST)
    """A host to which a password of Redis may be sent without TLS."""

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

    allow_anonymous: Literal["none", "read", "write"] = "none"
    """What clients without credentials may do, for a gateway behind its own router."""

    api_keys_file: ApiKeysFile | None = None
    """JSON file of the clients' API keys, made by `gateway keys create`."""

    jwt_jwks_url: JwksUrl | None = None
    """URL of the keys (JWKS) that sign the clients' tokens: https, or http on loopback."""

    jwt_issuer: str | None = Field(default=None, pattern=r"^\P{Cc}+$")
    """The `iss` that a client's token must have."""

    jwt_audience: str | None = Field(default=None, pattern=r"^\P{Cc}+$")
    """The `aud` that a client's token must have."""

    jwt_algorithms: Algorithms = "RS256,ES256"
    """The algorithms that may sign a client's token, separated by commas."""

    trusted_proxies: Proxies | None = None
    """Addresses or networks of proxies whose `X-Forwarded-For` names the client."""

    allowed_hosts: AllowedHosts = "localhost,127.0.0.1,[::1]"
    """The names that a request's `Host` may have, separated by commas; `*` allows any."""

    cors_origins: Origins | None = None
    """Origins of other sites whose pages may call the gateway, separated by commas."""

    allow_get_documents: bool | None = None
    """Whether a GET may carry a document instead of its hash; by default only on the emulator."""

    introspection: bool | None = None
    """Whether clients may read the schema; by default only on the emulator."""

    trusted_documents_file: FilePath | None = None
    """JSON manifest of the documents that clients send by hash: Relay's or Apollo's."""

    trusted_documents_only: bool = False
    """Whether all other documents are refused."""

    rate_limit_per_client: int = Field(default=60, ge=1, le=100_000)
    """Upstream requests a minute for which a client may use the reserve of the quota."""

    max_body_bytes: int = Field(default=1024**2, ge=1024)
    """Maximum size of a request body; a larger one gets status 413."""

    max_query_tokens: int = Field(default=1000, ge=50)
    """Maximum tokens of a document, and maximum fields with its fragments written out."""

    max_query_depth: int = Field(default=15, ge=3, le=100)
    """Maximum nesting of the fields of a document."""

    max_query_aliases: int = Field(default=100, ge=0)
    """Maximum aliases in a document."""

    max_rows_per_request: int = Field(default=2500, ge=MINIMUM_ROWS_PER_REQUEST)
    """Maximum rows that all fields of one request may ask for; an id counts as 5."""

    max_lists_per_request: int = Field(default=20, ge=0)
    """Maximum lists of one request that are read apart, such as the profiles of each segment."""

    max_representations: int = Field(default=1000, ge=0)
    """Maximum entities that a router may ask for in one request; 0 allows none."""

    max_segments_per_mutation: int = Field(default=250, ge=1, le=LONGEST_LIST)
    """Maximum segments that all mutations of one request may create, change or delete."""

    max_customers_per_mutation: int = Field(default=1000, ge=1, le=LONGEST_LIST)
    """Maximum customers and shopper profiles that all mutations of one request may name."""

    allow_deletes: bool = True
    """Whether clients may delete segments and shopper profiles; members can always be removed."""

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

    subgraph_scopes: bool = False
    """Whether the subgraph's fields have `@requiresScopes`, for routers that check end users."""

    subgraph_payload_query: bool = False
    """Whether payloads have `query` in the subgraph, too; Apollo's composer alone takes it."""

    graphiql: bool | None = None
    """Whether browsers get GraphiQL at /graphql; by default only on the emulator."""

    emulator_segments: int = Field(default=120, ge=0, le=1000)
    """Segments in the emulator inside the process."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The lowest level that is logged."""

    log_format: Literal["text", "json"] = "text"
    """Format of the log: lines of text, or a JSON object a line."""

    log_requests: bool = False
    """Whether each operation of a client is logged, in one line at its end."""

    metrics: bool = False
    """Whether /metrics has the metrics for Prometheus; they need the scope `metrics`."""

    status: bool | None = None
    """Whether /status shows the last hour; by default only on a loopback address."""

    trace_documents: bool = False
    """Whether traces have the text of documents, in which clients may write personal data."""

    keep_alive_seconds: int = Field(default=75, ge=1, le=DAY_SECONDS)
    """How long an idle connection stays open; it has to be longer than at the load balancer."""

    shutdown_grace_seconds: int = Field(default=30, ge=0, le=3600)
    """How long requests in flight may take to finish at a stop."""

    drain_seconds: float = Field(default=3.0, ge=0, le=600)
    """How long the gateway serves on after SIGTERM, for load balancers to notice."""

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        check_consistency(self)
        return self

    @property
    def reads_real_store(self) -> bool:
        """Whether the upstream is neither the emulator inside the process nor on loopback."""
        return not self.uses_emulator and not is_loopback(
            (self.upstream_url.host or "").strip("[]")
        )

    def by_default_on_the_emulator(self, setting: bool | None) -> bool:
        """Returns what a setting stands for that is on by default unless a real store is read."""
        return not self.reads_real_store if setting is None else setting

    def shows_status(self, address: str | None) -> bool:
        """Whether a gateway that listens on an address has `/status`."""
        if self.status is None:
            return address is not None and is_loopback(address)
        return self.status

    @property
    def says_who_clients_are(self) -> bool:
        """Whether clients have credentials, or are allowed to have none."""
        has_credentials = self.api_keys_file is not None or self.jwt_jwks_url is not None
        return has_credentials or self.allow_anonymous != "none"

    @property
    def uses_emulator(self) -> bool:
        """Whether the upstream is the emulator inside the process."""
        return self.store_hash is None
