import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from tls_front import CERTIFICATE, KEY

from gateway.api_keys import create_api_key
from gateway.identity import AccessScope
from gateway.pagination import MAXIMUM_ROWS
from gateway.redis.connection import RedisConnection
from gateway.schema.context import ROWS_TO_AN_ID
from gateway.settings import (
    Settings,
    SettingsError,
    check_exposure,
    load_settings,
    settings_table,
    summary,
)

SECRET = "s3cr3t-t0k3n"
STORE = {"STORE_HASH": "abc123", "ACCESS_TOKEN": SECRET}
TLS = {"REDIS_URL": "rediss://redis.example.com"}
TOKENS = {
    "JWT_JWKS_URL": "https://id.example.com/keys",
    "JWT_ISSUER": "https://id.example.com/",
    "JWT_AUDIENCE": "segments",
}


def settings_of(**variables: str) -> Settings:
    return load_settings({f"GATEWAY_{name}": value for name, value in variables.items()})


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings_of(**variables)
    assert SECRET not in str(caught.value)
    assert "stranger" not in str(caught.value)
    return str(caught.value)


def test_nothing_set_is_the_emulator() -> None:
    settings = load_settings({"PATH": "/bin"})
    assert settings == Settings()
    assert settings.uses_emulator
    assert summary(settings) == (
        "upstream: the emulator inside this process (120 segments); "
        "cache: memory, 64 MiB, fresh for 15 s; authentication of clients: none; "
        "set GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN for a real store"
    )


def test_hash_and_token_are_a_store() -> None:
    settings = settings_of(**STORE, CACHE_TTL_SECONDS="0", REDIS_URL="redis://localhost")
    assert not settings.uses_emulator
    assert settings.access_token is not None
    assert settings.access_token.get_secret_value() == SECRET
    assert summary(settings) == (
        "upstream: store abc123 at https://api.bigcommerce.com; cache: off; "
        "authentication of clients: none"
    )


def test_values_are_read_with_their_types() -> None:
    settings = settings_of(
        CACHE_TTL_SECONDS="0.25", UPSTREAM_PAGE_SIZE="50", GRAPHIQL="false", LOG_FORMAT="json"
    )
    assert settings.cache_ttl_seconds == 0.25
    assert settings.upstream_page_size == 50
    assert settings.graphiql is False
    assert settings.log_format == "json"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert settings_of(STORE_HASH="", CACHE_TTL_SECONDS="") == Settings()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().cache_ttl_seconds = 1.0


SENTENCES = [
    (
        {"TRUSTED_DOCUMENTS_ONLY": "true"},
        "GATEWAY_TRUSTED_DOCUMENTS_ONLY is set without GATEWAY_TRUSTED_DOCUMENTS_FILE: no document "
        "could be executed. Set both.",
    ),
    ({"STORE_HASH": "abc123"}, "GATEWAY_STORE_HASH is set without GATEWAY_ACCESS_TOKEN: set both."),
    ({"ACCESS_TOKEN": SECRET}, "GATEWAY_ACCESS_TOKEN is set without GATEWAY_STORE_HASH: set both."),
    (
        {"UPSTREAM_URL": "https://stranger"},
        "GATEWAY_UPSTREAM_URL is set without GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN: "
        "set all three, or none to run on the emulator.",
    ),
    (
        {"UPSTREAM_CA_FILE": str(CERTIFICATE)},
        "GATEWAY_UPSTREAM_CA_FILE is set without GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN: "
        "set all three, or none to run on the emulator.",
    ),
    (
        {**STORE, "UPSTREAM_URL": "http://127.0.0.1", "UPSTREAM_CA_FILE": str(CERTIFICATE)},
        "GATEWAY_UPSTREAM_CA_FILE is for TLS: GATEWAY_UPSTREAM_URL has to begin with https://.",
    ),
    *(
        (
            {**variables, "UPSTREAM_PLAIN_HTTP_HOST": "stranger"},
            "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST has no effect: leave it out, unless "
            "GATEWAY_UPSTREAM_URL begins with http:// and this is its host.",
        )
        for variables in (
            {},
            STORE,
            {**STORE, "UPSTREAM_URL": "https://stranger"},
            {**STORE, "UPSTREAM_URL": "http://127.0.0.1"},
        )
    ),
    (
        {**STORE, "UPSTREAM_CA_FILE": str(KEY)},
        "GATEWAY_UPSTREAM_CA_FILE holds no certificates: it has to be PEM.",
    ),
    (
        {**TLS, "REDIS_CA_FILE": str(KEY)},
        "GATEWAY_REDIS_CA_FILE holds no certificates: it has to be PEM.",
    ),
    (
        {**TLS, "REDIS_KEY_FILE": str(KEY)},
        "GATEWAY_REDIS_KEY_FILE is set without GATEWAY_REDIS_CERTIFICATE_FILE: set both.",
    ),
    (
        {**TLS, "REDIS_CERTIFICATE_FILE": str(CERTIFICATE)},
        "GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE are no pair: they have to be "
        "PEM, the key without a password, in one file or each in its own.",
    ),
    *(
        (
            {"REDIS_URL": url, name: str(CERTIFICATE)},
            "GATEWAY_REDIS_CA_FILE, GATEWAY_REDIS_CERTIFICATE_FILE and GATEWAY_REDIS_KEY_FILE are "
            "for TLS: GATEWAY_REDIS_URL has to begin with rediss://.",
        )
        for url in ("", "redis://stranger")
        for name in ("REDIS_CA_FILE", "REDIS_CERTIFICATE_FILE", "REDIS_KEY_FILE")
    ),
    *(
        (
            {"REDIS_URL": f"redis://:{SECRET}@{host}", "REDIS_PLAIN_TCP_HOST": named},
            "GATEWAY_REDIS_URL would send its password by plain TCP: use rediss://, or, if the "
            "network is your own, name the host alone in GATEWAY_REDIS_PLAIN_TCP_HOST.",
        )
        for host in ("stranger", "10.0.0.1", "[fd00::1]", "127.0.0.1.example.com")
        for named in ("", "other")
    ),
    *(
        (
            {"REDIS_URL": url, "REDIS_PLAIN_TCP_HOST": "stranger"},
            "GATEWAY_REDIS_PLAIN_TCP_HOST has no effect: leave it out, unless GATEWAY_REDIS_URL "
            "begins with redis://, has a password, and this is its host.",
        )
        for url in (
            "",
            "redis://stranger",
            f"rediss://:{SECRET}@stranger",
            f"redis://:{SECRET}@localhost",
        )
    ),
    *(
        (
            {name: value for name, value in TOKENS.items() if name != missing},
            f"GATEWAY_JWT_JWKS_URL is set without GATEWAY_{missing}: set all three.",
        )
        for missing in ("JWT_ISSUER", "JWT_AUDIENCE")
    ),
    *(
        ({name: value}, f"GATEWAY_{name} is set without GATEWAY_JWT_JWKS_URL: set both.")
        for name, value in (
            ("JWT_ISSUER", "https://id.example.com/"),
            ("JWT_AUDIENCE", "segments"),
            ("JWT_ALGORITHMS", "RS256,ES256"),
        )
    ),
]


@pytest.mark.parametrize(("variables", "sentence"), SENTENCES)
def test_variables_that_do_not_fit_together_get_a_sentence(
    variables: dict[str, str], sentence: str
) -> None:
    assert refusal(**variables) == sentence


def test_every_wrong_value_gets_its_line() -> None:
    lines = refusal(
        STORE_HASH="../abc",
        ACCESS_TOKEN=f"{SECRET}\n",
        CACHE_TTL_SECONDS="soon",
        STALE_PATIENCE_SECONDS="nan",
        REQUEST_TIMEOUT_SECONDS="0",
        MAX_BODY_BYTES="1.5",
        UPSTREAM_PAGE_SIZE="251",
        LOG_FORMAT="xml",
    ).splitlines()
    assert lines == [
        "GATEWAY_STORE_HASH: It has to be 1 to 64 letters, digits, - or _.",
        "GATEWAY_ACCESS_TOKEN: It has to be one line of visible ASCII characters.",
        "GATEWAY_REQUEST_TIMEOUT_SECONDS: It has to be a number, more than 0 and at most 300.",
        "GATEWAY_UPSTREAM_PAGE_SIZE: It has to be a whole number, at least 1 and at most 250.",
        "GATEWAY_CACHE_TTL_SECONDS: It has to be a number, at least 0 and at most 86400.",
        "GATEWAY_STALE_PATIENCE_SECONDS: It has to be a number, at least 0 and at most 300.",
        "GATEWAY_MAX_BODY_BYTES: It has to be a whole number, at least 1024.",
        "GATEWAY_LOG_FORMAT: It has to be 'text' or 'json'.",
    ]


EXTRA = "credentials, a query or a fragment"
# A variable, the words that its refusal has, and values that are refused with them.
REFUSED_VALUES = [
    (
        "CACHE_TTL_SECONDS",
        "at least 0 and at most 86400",
        ["nan", "inf", "-1", "1e9", "15s", "0x10"],
    ),
    (
        "STORE_HASH",
        "1 to 64 letters",
        ["a b", "a/b", "a\nb", "abc123\n", "a?b", "é", "a" * 65, "a."],
    ),
    (
        "ACCESS_TOKEN",
        "one line of visible ASCII characters",
        ["a b", "a\rb", "a\nX-Header: 1", "tökn", "\x00", "a\x7f", f"{SECRET}\n"],
    ),
    (
        "SUBGRAPH_CONTACT_NAME",
        "one line of text",
        ["   ", "\n", "a\nGATEWAY_GRAPHIQL  true", "a\x1b[2Jb", "a\x00", "a\x7f", "a\x9bb"],
    ),
    (
        "SUBGRAPH_CONTACT_URL",
        "begins with https://, http:// or mailto:",
        ["foo", "javascript:alert(1)", "https://a b", "https://a\x1b[2J"],
    ),
    (
        "UPSTREAM_PLAIN_HTTP_HOST",
        "a host name or an IP address alone",
        ["http://stranger", "stranger/", "[fd00::1]", "a b", "a,b", "é", "stranger\n"],
    ),
    ("REDIS_KEY_PREFIX", "1 to 64 letters", ["a:b", "a!", "é", "a" * 65, " ", "a%3A", "a\n"]),
    (
        "UPSTREAM_URL",
        EXTRA,
        [
            f"https://user:{SECRET}@stranger",
            f"https://{SECRET}@stranger",
            "https://stranger?x=1",
            "https://stranger?",
            "https://stranger/v#",
            f"https:{SECRET}/stranger@h",
            f"https:\\\\user:{SECRET}@stranger",
        ],
    ),
    (
        "UPSTREAM_URL",
        "1 to 63 characters",
        ["https://stranger..com", "https://.stranger", f"https://{'a' * 64}.com"],
    ),
    ("UPSTREAM_URL", "a host name or an IP address", ["https://a,b", "https://a$b"]),
    ("UPSTREAM_URL", "port must not be 0", ["https://stranger:0"]),
    ("UPSTREAM_URL", "URL scheme should be 'http' or 'https'", ["ftp://stranger", "stranger:80"]),
    (
        "UPSTREAM_URL",
        "valid URL",
        [
            "stranger",
            "https://",
            f"https://user:{SECRET}?x@h",
            f"https://[{SECRET}]/",
            f"https://h:{SECRET}/",
            "https://stranger:65536",
            "https://stra nger",
            "https://[::1",
            "https://[fe80::1%25eth0]",
            "http://[::1].example.com",
            "https://1.2.3.999",
        ],
    ),
    ("UPSTREAM_URL", "internationalized name", ["https://xn--ls8h.stranger", "https://bücher.de"]),
    (
        "UPSTREAM_URL",
        "the hash goes into GATEWAY_STORE_HASH",
        ["https://stranger/stores/abc123/v3/", "https://stranger/stores"],
    ),
    ("REDIS_URL", "URL scheme should be 'redis' or 'rediss'", ["stranger:6379", "http://stranger"]),
    ("REDIS_URL", "URL scheme should be 'redis' or 'rediss'", ["unix:///stranger.sock"]),
    (
        "REDIS_URL",
        "valid URL",
        [
            f"redis://user:{SECRET}/stranger@localhost",
            f"redis://:{SECRET}?@localhost",
            f"redis://:{SECRET}#@localhost",
            "redis://stranger é",
            "redis://localhost:stranger",
            "redis://localhost:65536",
            "redis://[stranger]",
        ],
    ),
    (
        "REDIS_URL",
        "the number of a database",
        ["redis://h/stranger", "redis://h/0/1", "redis://h/-1", "redis://h/1_0", "redis://h//1"],
    ),
    (
        "REDIS_URL",
        "a query or a fragment",
        ["rediss://stranger?ssl_cert_reqs=none", "redis://stranger#1", "redis://stranger?"],
    ),
    (
        "REDIS_URL",
        "a user without a password",
        [f"redis://{SECRET}@stranger", f"redis://{SECRET}:@stranger"],
    ),
    ("REDIS_URL", "the number of a database", ["redis://h/10000", "redis://h/00001"]),
    (
        "REDIS_URL",
        "write %25 for %",
        [f"redis://:{SECRET}%@h", f"redis://:%zz{SECRET}@h", f"redis://a%2:{SECRET}@h"],
    ),
    ("REDIS_URL", "1 to 63 characters", ["redis://stranger..com", f"redis://{'a' * 64}"]),
    ("REDIS_URL", "a host name or an IP address", ["redis://a,stranger", "redis://a%20b"]),
    ("REDIS_URL", "port must not be 0", ["redis://stranger:0"]),
    ("JWT_JWKS_URL", "It has to begin with https://", ["http://stranger", "http://[fd00::1]/k"]),
    ("JWT_ISSUER", "one line of text", ["https://stranger\n", "a\x1b[2Jb"]),
    ("JWT_AUDIENCE", "one line of text", ["stranger\r\n", "\x00"]),
    ("JWT_JWKS_URL", EXTRA, [f"https://user:{SECRET}@stranger", "https://stranger#k"]),
    ("JWT_JWKS_URL", "URL scheme should be 'http' or 'https'", ["file:///stranger"]),
    (
        "JWT_ALGORITHMS",
        "one or more of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA",
        ["HS256", "RS256,HS256", "none", "RS256,none", "rs256", ",", "ES256K", "ES521"],
    ),
    (
        "TRUSTED_PROXIES",
        "addresses or networks such as 10.0.0.0/8",
        ["stranger", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.1;10.0.0.2", ",", "0.0.0.0/0", "::/0"],
    ),
    *(
        (name, "There is no file with this path", ["/", "/nowhere/stranger"])
        for name in ("API_KEYS_FILE", "UPSTREAM_CA_FILE", "REDIS_CA_FILE", "REDIS_CERTIFICATE_FILE")
    ),
]


@pytest.mark.parametrize(("name", "words", "values"), REFUSED_VALUES)
def test_a_wrong_value_is_refused_with_its_variable_and_without_a_part_of_it(
    name: str, words: str, values: list[str]
) -> None:
    for value in values:
        said = refusal(**{**STORE, name: value})
        assert said.startswith(f"GATEWAY_{name}: "), value
        assert words in said, value
        assert "\n" not in said


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("https://api.bigcommerce.com/", "https://api.bigcommerce.com/"),
        ("HTTPS://API.bigcommerce.com:443", "https://api.bigcommerce.com"),
        ("https://proxy.example.com./bigcommerce", "https://proxy.example.com./bigcommerce"),
        (" https://proxy.example.com\n", "https://proxy.example.com"),
        ("https://egress_proxy", "https://egress_proxy"),
        ("https://[fd00::1]:8443", "https://[fd00::1]:8443"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8001", "http://[::1]:8001"),
        ("http://LOCALHOST", "http://localhost"),
    ],
)
def test_https_and_http_on_loopback_are_taken(url: str, used: str) -> None:
    assert str(settings_of(**STORE, UPSTREAM_URL=url).upstream_url) == used


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("https:evil.com", "https://evil.com"),
        ("https:///evil.com/v3", "https://evil.com/v3"),
        ("https:\\\\evil.com", "https://evil.com"),
        ("https://evil\t.com", "https://evil.com"),
        ("https://evil.com/a\tb", "https://evil.com/ab"),
        ("https://127.0.0.1%2eevil.com", "https://127.0.0.1.evil.com"),
        ("https://256", "https://0.0.1.0"),
        ("http://127.1", "http://127.0.0.1"),
        ("https://[0:0::1]", "https://[::1]"),
    ],
)
def test_url_that_would_be_rewritten_is_refused_with_what_it_is_read_as(
    url: str, used: str
) -> None:
    assert refusal(**STORE, UPSTREAM_URL=url) == (
        f"GATEWAY_UPSTREAM_URL: It is read as {used}: if that is right, write it that way."
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "HTTP://api.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://[fd00::1]",
    ],
)
def test_plain_http_beyond_loopback_is_refused(url: str) -> None:
    for named in ("", "other", "api"):
        assert refusal(**STORE, UPSTREAM_URL=url, UPSTREAM_PLAIN_HTTP_HOST=named).startswith(
            "GATEWAY_UPSTREAM_URL would send the token by plain http: "
        )


@pytest.mark.parametrize(
    ("host", "url"), [("Emulator", "http://emulator:8001"), ("fd00::1", "http://[fd00::1]:8001")]
)
def test_plain_http_is_taken_for_the_host_that_is_named(host: str, url: str) -> None:
    settings = settings_of(**STORE, UPSTREAM_PLAIN_HTTP_HOST=host, UPSTREAM_URL=url)
    assert str(settings.upstream_url) == url


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("redis://localhost", "redis://localhost:6379/0"),
        ("redis://localhost/", "redis://localhost:6379/0"),
        ("rediss://redis.example.com:6380/15", "rediss://redis.example.com:6380/15"),
        ("redis://[::1]:6379", "redis://[::1]:6379/0"),
        (f"redis://:{SECRET}@localhost", f"redis://:{SECRET}@localhost:6379/0"),
        (f"rediss://a%40b:p%2Fw%25{SECRET}@h:1/1", f"rediss://a%40b:p%2Fw%25{SECRET}@h:1/1"),
        (f"redis://user:[{SECRET}@[::1]", f"redis://user:%5B{SECRET}@[::1]:6379/0"),
    ],
)
async def test_url_that_redis_can_be_reached_by_is_taken_and_masked(url: str, used: str) -> None:
    settings = settings_of(REDIS_URL=url)
    assert settings.redis_url is not None
    assert str(settings.redis_url.get_secret_value()) == used
    await RedisConnection(used, timeout_seconds=1).close()
    for shown in (repr(settings), settings_table(settings), summary(settings)):
        assert used not in shown
        assert SECRET not in shown


def test_tls_files_are_taken_with_tls(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(KEY.read_bytes() + CERTIFICATE.read_bytes())
    two = tmp_path / "two.pem"
    two.write_text(f"two of a company\n{CERTIFICATE.read_text()}\n{CERTIFICATE.read_text()}")
    certificate, key = str(CERTIFICATE), str(KEY)
    settings_of(**STORE, UPSTREAM_CA_FILE=str(two))
    settings_of(**TLS, REDIS_CA_FILE=certificate, REDIS_CERTIFICATE_FILE=str(both))
    settings = settings_of(**TLS, REDIS_CERTIFICATE_FILE=certificate, REDIS_KEY_FILE=key)
    assert settings.redis_key_file == KEY


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"stranger",
        CERTIFICATE.read_bytes()[:200],
        CERTIFICATE.read_bytes().replace(b"M", b"-"),
        bytes(range(256)),
    ],
    ids=["nothing", "text", "half", "no Base64", "bytes"],
)
def test_file_without_certificates_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "stranger.pem"
    path.write_bytes(content)
    assert "holds no certificates" in refusal(**STORE, UPSTREAM_CA_FILE=str(path))
    assert "holds no certificates" in refusal(**TLS, REDIS_CA_FILE=str(path))


def test_250_ids_fit_whatever_is_set() -> None:
    least = settings_of(MAX_ROWS_PER_REQUEST="1250")
    assert least.max_rows_per_request == MAXIMUM_ROWS * ROWS_TO_AN_ID
    assert refusal(MAX_ROWS_PER_REQUEST="1249").startswith("GATEWAY_MAX_ROWS_PER_REQUEST: ")


def test_an_unknown_variable_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"GATEWAY_CACHE_TTL": "3", "gateway_graphiql": "0", "GATEWAY_ZZZ": ""})
    assert str(caught.value) == (
        "GATEWAY_CACHE_TTL is no setting of the gateway. "
        "Did you mean GATEWAY_CACHE_TTL_SECONDS?\n"
        "GATEWAY_ZZZ is no setting of the gateway. `gateway settings` lists them all.\n"
        "gateway_graphiql is no setting of the gateway. Did you mean GATEWAY_GRAPHIQL?"
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("PROMETHEUS", "`gateway settings` lists them all."),
        ("TRACING_ENDPOINT", "`gateway settings` lists them all."),
        ("HOST", "Use `gateway serve --host`."),
        ("PORT", "Use `gateway serve --port`."),
        ("WORKERS", "Use `gateway serve --workers`."),
    ],
)
def test_a_variable_that_is_like_no_setting_is_refused_with_what_to_do(
    name: str, hint: str
) -> None:
    assert refusal(**{name: "9000"}) == f"GATEWAY_{name} is no setting of the gateway. {hint}"


@pytest.mark.parametrize("service", ["GATEWAY", "GATEWAY_REDIS", "GATEWAY_2", "GATEWAY_PORT"])
def test_variables_that_kubernetes_sets_for_a_service_are_ignored(service: str) -> None:
    links = {
        f"{service}_SERVICE_HOST": "10.0.0.7",
        f"{service}_SERVICE_PORT": "80",
        f"{service}_SERVICE_PORT_HTTP_ALT": "80",
        f"{service}_PORT": "tcp://10.0.0.7:6379",
        f"{service}_PORT_6379_TCP": "tcp://10.0.0.7:6379",
        f"{service}_PORT_6379_TCP_PROTO": "tcp",
        f"{service}_PORT_6379_TCP_PORT": "6379",
        f"{service}_PORT_6379_TCP_ADDR": "10.0.0.7",
        f"{service}_PORT_53_UDP": "udp://10.0.0.7:53",
    }
    assert load_settings(links) == Settings()


@pytest.mark.parametrize("name", ["UPSTREAM_PORT", "PORT_HTTP", "SERVICE", "SERVICE_URL"])
def test_variables_that_only_look_like_those_of_kubernetes_are_refused(name: str) -> None:
    assert refusal(**{name: "8001"}).startswith(f"GATEWAY_{name} is no setting of the gateway. ")


def test_the_token_is_masked_wherever_settings_are_shown() -> None:
    settings = settings_of(**STORE)
    table = settings_table(settings)
    for shown in (repr(settings), str(settings), table, summary(settings)):
        assert SECRET not in shown
    assert re.search(r"^GATEWAY_ACCESS_TOKEN +\*{8} ", table, re.MULTILINE)
    assert re.search(r"^GATEWAY_STORE_HASH +abc123 ", table, re.MULTILINE)


def test_the_table_has_a_line_for_each_setting() -> None:
    lines = settings_table(Settings()).splitlines()
    assert [line.split()[0] for line in lines] == [
        "GATEWAY_" + field.upper() for field in Settings.model_fields
    ]
    assert all(line.endswith(".") for line in lines)


def test_the_first_line_says_how_clients_are_known(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    create_api_key(keys, "web", [AccessScope.SEGMENTS_READ])
    cases: list[tuple[dict[str, str], str]] = [
        ({"API_KEYS_FILE": str(keys)}, "API keys"),
        (TOKENS, "tokens of https://id.example.com/"),
        (
            {**TOKENS, "API_KEYS_FILE": str(keys), "ALLOW_ANONYMOUS": "read"},
            "API keys and tokens of https://id.example.com/, and without it they may read",
        ),
        ({"ALLOW_ANONYMOUS": "write"}, "none, and without it they may write"),
        ({"ALLOW_ANONYMOUS": "none"}, "none"),
    ]
    for variables, known in cases:
        line = summary(settings_of(**STORE, **variables))
        assert line.endswith(f"; authentication of clients: {known}")


def test_a_malformed_file_of_api_keys_stops_the_start(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text("{}")
    keys.chmod(0o600)
    assert refusal(API_KEYS_FILE=str(keys)) == (
        "GATEWAY_API_KEYS_FILE: The file has to be made by `gateway keys create`."
    )
    keys.chmod(0o666)
    assert refusal(API_KEYS_FILE=str(keys)) == (
        "GATEWAY_API_KEYS_FILE: Other users can write the file: run `chmod go-w` on it."
    )


@pytest.mark.parametrize("url", ["https://id.example.com/keys?v=2", "http://127.0.0.1:9/k"])
def test_keys_of_tokens_come_by_https_or_from_loopback(url: str) -> None:
    assert str(settings_of(**{**TOKENS, "JWT_JWKS_URL": url}).jwt_jwks_url) == url


def test_a_password_of_redis_may_go_by_plain_tcp_to_the_host_that_is_named() -> None:
    url = f"redis://:{SECRET}@Redis:6379/0"
    assert settings_of(REDIS_URL=url, REDIS_PLAIN_TCP_HOST="REDIS").redis_url is not None
    with_address = f"redis://:{SECRET}@[fd00::1]"
    assert settings_of(REDIS_URL=with_address, REDIS_PLAIN_TCP_HOST="fd00::1").redis_url is not None


@pytest.mark.parametrize(
    ("address", "store", "is_refused"),
    [
        ("127.0.0.1", {}, False),
        ("127.9.9.9", {}, False),
        ("::1", {}, False),
        ("0.0.0.0", {}, True),
        ("::", {}, True),
        ("192.0.2.1", {}, True),
        ("127.0.0.1", STORE, True),
        ("127.0.0.1", {**STORE, "UPSTREAM_URL": "http://localhost:8001"}, False),
        ("0.0.0.0", {**STORE, "UPSTREAM_URL": "http://localhost:8001"}, True),
    ],
)
def test_a_start_that_would_serve_strangers_is_refused(
    address: str, store: dict[str, str], is_refused: bool, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.json"
    create_api_key(keys, "web", [AccessScope.SEGMENTS_READ])
    for known in ({"API_KEYS_FILE": str(keys)}, TOKENS, {"ALLOW_ANONYMOUS": "read"}):
        check_exposure(settings_of(**store, **known), address)
    if not is_refused:
        check_exposure(settings_of(**store), address)
        return
    with pytest.raises(SettingsError) as caught:
        check_exposure(settings_of(**store), address)
    what = "A real store is set" if store == STORE else f"Other machines reach {address}"
    assert str(caught.value) == (
        f"{what}, and nothing says who may ask. Set GATEWAY_API_KEYS_FILE (`gateway keys create` "
        "makes it) or GATEWAY_JWT_JWKS_URL; or, for a gateway that only its own router reaches, "
        "GATEWAY_ALLOW_ANONYMOUS=read."
    )
