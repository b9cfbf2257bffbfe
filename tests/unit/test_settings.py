import re

import httpx
import pytest
from pydantic import ValidationError

from gateway.pagination import MAXIMUM_ROWS
from gateway.schema.context import ROWS_TO_AN_ID
from gateway.settings import Settings, SettingsError, load_settings, settings_table

TOKEN = "s3cr3t-t0k3n"
STORE = {"GATEWAY_STORE_HASH": "abc123", "GATEWAY_ACCESS_TOKEN": TOKEN}


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment)
    assert TOKEN not in str(caught.value)
    return str(caught.value)


def test_nothing_set_is_the_emulator() -> None:
    settings = load_settings({"PATH": "/bin"})
    assert settings == Settings()
    assert settings.uses_emulator
    assert settings.summary() == (
        "upstream: the emulator inside this process (120 segments); "
        "cache: memory, 64 MiB, fresh for 15 s; authentication of clients: none; "
        "set GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN for a real store"
    )


def test_hash_and_token_are_a_store() -> None:
    settings = load_settings({**STORE, "GATEWAY_CACHE_TTL_SECONDS": "0"})
    assert not settings.uses_emulator
    assert settings.access_token is not None
    assert settings.access_token.get_secret_value() == TOKEN
    assert settings.summary() == (
        "upstream: store abc123 at https://api.bigcommerce.com; cache: memory, 64 MiB, off; "
        "authentication of clients: none"
    )


def test_values_are_read_with_their_types() -> None:
    settings = load_settings(
        {
            "GATEWAY_CACHE_TTL_SECONDS": "0.25",
            "GATEWAY_UPSTREAM_PAGE_SIZE": "50",
            "GATEWAY_GRAPHIQL": "false",
            "GATEWAY_LOG_FORMAT": "json",
        }
    )
    assert settings.cache_ttl_seconds == 0.25
    assert settings.upstream_page_size == 50
    assert settings.graphiql is False
    assert settings.log_format == "json"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings({"GATEWAY_STORE_HASH": "", "GATEWAY_CACHE_TTL_SECONDS": ""}) == Settings()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().cache_ttl_seconds = 1.0


def test_half_a_configuration_is_refused_with_the_missing_variable() -> None:
    assert refusal({"GATEWAY_STORE_HASH": "abc123"}) == (
        "GATEWAY_STORE_HASH is set without GATEWAY_ACCESS_TOKEN: set both."
    )
    assert refusal({"GATEWAY_ACCESS_TOKEN": TOKEN}) == (
        "GATEWAY_ACCESS_TOKEN is set without GATEWAY_STORE_HASH: set both."
    )
    assert refusal({"GATEWAY_UPSTREAM_URL": "https://api.example.com"}) == (
        "GATEWAY_UPSTREAM_URL is set without GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN: "
        "set all three, or none to run on the emulator."
    )


def test_every_wrong_value_gets_its_line() -> None:
    lines = refusal(
        {
            "GATEWAY_STORE_HASH": "../abc",
            "GATEWAY_ACCESS_TOKEN": f"{TOKEN}\n",
            "GATEWAY_CACHE_TTL_SECONDS": "soon",
            "GATEWAY_UPSTREAM_PAGE_SIZE": "251",
            "GATEWAY_LOG_FORMAT": "xml",
        }
    ).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "GATEWAY_STORE_HASH",
        "GATEWAY_ACCESS_TOKEN",
        "GATEWAY_UPSTREAM_PAGE_SIZE",
        "GATEWAY_CACHE_TTL_SECONDS",
        "GATEWAY_LOG_FORMAT",
    ]
    assert lines[1] == ("GATEWAY_ACCESS_TOKEN: it has to be one line of visible ASCII characters.")


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e9", "15s", "0x10"])
def test_a_life_that_is_no_number_of_seconds_is_refused(value: str) -> None:
    assert refusal({"GATEWAY_CACHE_TTL_SECONDS": value}).startswith("GATEWAY_CACHE_TTL_SECONDS: ")


@pytest.mark.parametrize("value", ["a b", "a/b", "a\nb", "a?b", "é", "a" * 65, "a."])
def test_a_store_hash_that_would_change_the_path_is_refused(value: str) -> None:
    assert refusal({**STORE, "GATEWAY_STORE_HASH": value}) == (
        "GATEWAY_STORE_HASH: it has to be letters, digits, - and _, at most 64 of them."
    )


@pytest.mark.parametrize("value", ["a b", "a\rb", "a\nX-Header: 1", "tökn", "\x00", "a\x7f"])
def test_a_token_that_no_header_can_hold_is_refused(value: str) -> None:
    said = refusal({**STORE, "GATEWAY_ACCESS_TOKEN": value})
    assert said == "GATEWAY_ACCESS_TOKEN: it has to be one line of visible ASCII characters."


@pytest.mark.parametrize(
    ("name", "value", "clause"),
    [
        ("NAME", "   ", "it has to be one line of text, such as a team's name"),
        ("NAME", "two\nlines", "it has to be one line of text, such as a team's name"),
        ("URL", "foo", "it has to begin with https://, http:// or mailto:"),
        ("URL", "javascript:alert(1)", "it has to begin with https://, http:// or mailto:"),
        ("URL", "https://a b", "it has to begin with https://, http:// or mailto:"),
    ],
)
def test_a_contact_that_nobody_could_ask_is_refused(name: str, value: str, clause: str) -> None:
    said = refusal({f"GATEWAY_SUBGRAPH_CONTACT_{name}": value})
    assert said == f"GATEWAY_SUBGRAPH_CONTACT_{name}: {clause}."


SENSELESS = "it has to be a URL such as https://api.bigcommerce.com"
TOO_MUCH = "it must not hold credentials, a query or a fragment"
PORT = "its port has to be a number from 1 to 65535"
HASH_INSIDE = (
    "the store's own path, /stores/…, does not belong here; the hash goes into GATEWAY_STORE_HASH"
)


@pytest.mark.parametrize(
    ("url", "clause"),
    [
        ("api.example.com", SENSELESS),
        ("ftp://api.example.com", SENSELESS),
        ("https://", SENSELESS),
        ("https:///stores", SENSELESS),
        (f"https://user:{TOKEN}@api.example.com", TOO_MUCH),
        (f"https://user:{TOKEN}?x@h", TOO_MUCH),
        (f"https://[{TOKEN}]/", SENSELESS),
        (f"https://h:{TOKEN}/", SENSELESS),
        ("https://@api.example.com", TOO_MUCH),
        ("https://api.example.com?x=1", TOO_MUCH),
        ("https://api.example.com?", TOO_MUCH),
        ("https://api.example.com/v#", TOO_MUCH),
        ("https://api.example.com:port", SENSELESS),
        ("https://api.example.com:0", PORT),
        ("https://api.example.com:65536", PORT),
        ("https://api.exam ple.com", SENSELESS),
        ("https://api.example.com\t", SENSELESS),
        ("https://[::1", SENSELESS),
        ("https://[127.0.0.1]", SENSELESS),
        ("https://[fe80::1%25eth0]", SENSELESS),
        ("http://[::1].example.com", SENSELESS),
        ("http://[::1]example:80", SENSELESS),
        ("https://bücher.example", SENSELESS),
        ("https://xn--a", SENSELESS),
        ("https://XN--ls8h.example", SENSELESS),
        ("https://api..example.com", SENSELESS),
        ("https://-api.example.com", SENSELESS),
        (f"https://{'a' * 64}.example.com", SENSELESS),
        (f"https://{'a.' * 127}example.com", SENSELESS),
        ("https://1.2.3.999", SENSELESS),
        ("https://127.1", SENSELESS),
        ("https://api.example.com\\stores", SENSELESS),
        ("https://api.bigcommerce.com/stores/abc123/v3/", HASH_INSIDE),
        ("https://api.bigcommerce.com/stores", HASH_INSIDE),
    ],
)
def test_a_senseless_upstream_url_is_refused_without_a_part_of_it(url: str, clause: str) -> None:
    assert refusal({**STORE, "GATEWAY_UPSTREAM_URL": url}) == f"GATEWAY_UPSTREAM_URL: {clause}."


@pytest.mark.parametrize(
    "url",
    [
        "https://api.bigcommerce.com",
        "HTTPS://API.bigcommerce.com:443",
        "https://proxy.example.com./bigcommerce",
        "https://egress_proxy",
        "https://10.0.0.1",
        "https://[fd00::1]:8443",
    ],
)
def test_a_url_that_the_client_can_use_is_taken(url: str) -> None:
    settings = load_settings({**STORE, "GATEWAY_UPSTREAM_URL": f"{url}/"})
    assert settings.upstream_url == url
    assert httpx.URL(settings.upstream_url).host


@pytest.mark.parametrize(
    "host", ["http://emulator", "emulator:8001", "[fd00::1]", "emulator/", "a b", "1.2.3.999", "@"]
)
def test_a_plain_http_host_that_is_more_than_a_host_is_refused(host: str) -> None:
    assert refusal({**STORE, "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST": host}) == (
        "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST: "
        "it has to be a host alone, without scheme and port, such as emulator."
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "HTTP://api.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://[fd00::1]",
    ],
)
def test_plain_http_beyond_loopback_is_refused(url: str) -> None:
    assert refusal({**STORE, "GATEWAY_UPSTREAM_URL": url}).startswith(
        "GATEWAY_UPSTREAM_URL would send the token by plain http: "
    )


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8001", "http://127.9.9.9", "http://[::1]:8001", "http://localhost"]
)
def test_plain_http_on_loopback_is_taken(url: str) -> None:
    assert load_settings({**STORE, "GATEWAY_UPSTREAM_URL": url + "/"}).upstream_url == url


def test_plain_http_is_taken_for_the_host_that_is_named() -> None:
    named = {**STORE, "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST": "Emulator"}
    url = "http://emulator:8001"
    assert load_settings({**named, "GATEWAY_UPSTREAM_URL": url}).upstream_url == url
    assert "plain http" in refusal({**named, "GATEWAY_UPSTREAM_URL": "http://other:8001"})
    inside = {**STORE, "GATEWAY_UPSTREAM_PLAIN_HTTP_HOST": "fd00::1"}
    url = "http://[fd00::1]:8001"
    assert load_settings({**inside, "GATEWAY_UPSTREAM_URL": url}).upstream_url == url


def test_250_ids_fit_whatever_is_set() -> None:
    least = {"GATEWAY_MAX_ROWS_PER_REQUEST": "1250"}
    assert load_settings(least).max_rows_per_request == MAXIMUM_ROWS * ROWS_TO_AN_ID
    assert refusal({"GATEWAY_MAX_ROWS_PER_REQUEST": "1249"}).startswith(
        "GATEWAY_MAX_ROWS_PER_REQUEST: "
    )


def test_an_unknown_variable_is_refused_with_the_nearest_known_one() -> None:
    assert refusal({"GATEWAY_CACHE_TTL": "3", "gateway_graphiql": "0", "GATEWAY_ZZZ": ""}) == (
        "GATEWAY_CACHE_TTL is no setting of the gateway. "
        "Did you mean GATEWAY_CACHE_TTL_SECONDS?\n"
        "GATEWAY_ZZZ is no setting of the gateway. `gateway settings` lists them all.\n"
        "gateway_graphiql is no setting of the gateway. Did you mean GATEWAY_GRAPHIQL?"
    )


@pytest.mark.parametrize("name", ["GATEWAY_METRICS", "GATEWAY_TRACING_ENDPOINT"])
def test_a_variable_that_is_like_none_is_refused_without_a_guess(name: str) -> None:
    said = f"{name} is no setting of the gateway. `gateway settings` lists them all."
    assert refusal({name: "1"}) == said


@pytest.mark.parametrize(
    ("name", "option"),
    [("GATEWAY_HOST", "--host"), ("GATEWAY_PORT", "--port"), ("GATEWAY_WORKERS", "--workers")],
)
def test_what_the_command_line_takes_is_told_so(name: str, option: str) -> None:
    said = f"{name} is no setting of the gateway. Use `gateway serve {option}`."
    assert refusal({name: "9000"}) == said


@pytest.mark.parametrize("service", ["GATEWAY", "GATEWAY_REDIS", "GATEWAY_2", "GATEWAY_PORT"])
def test_what_kubernetes_sets_for_a_service_is_ignored(service: str) -> None:
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


@pytest.mark.parametrize(
    "name", ["GATEWAY_UPSTREAM_PORT", "GATEWAY_PORT_HTTP", "GATEWAY_SERVICE", "GATEWAY_SERVICE_URL"]
)
def test_what_only_looks_like_kubernetes_is_refused(name: str) -> None:
    assert refusal({name: "8001"}).startswith(f"{name} is no setting of the gateway. ")


def test_the_token_is_masked_wherever_settings_are_shown() -> None:
    settings = load_settings(STORE)
    table = settings_table(settings)
    for shown in (
        repr(settings),
        str(settings),
        table,
        settings.summary(),
        settings.upstream_name(),
    ):
        assert TOKEN not in shown
    assert re.search(r"^GATEWAY_ACCESS_TOKEN +\*{8} ", table, re.MULTILINE)
    assert re.search(r"^GATEWAY_STORE_HASH +abc123 ", table, re.MULTILINE)


def test_the_table_has_a_line_for_each_setting() -> None:
    lines = settings_table(Settings()).splitlines()
    assert [line.split()[0] for line in lines] == [
        "GATEWAY_" + field.upper() for field in Settings.model_fields
    ]
    assert all(line.endswith(".") for line in lines)
