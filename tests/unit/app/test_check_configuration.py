"""The checks of the settings, of the files that they name, and of the issuer of tokens."""

from collections.abc import Mapping
from pathlib import Path

from issuer import OTHER_RSA_KEY, RSA_KEY, public_jwk
from processes import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.api_keys import create_api_key, revoke_api_key
from gateway.app.check.configuration import check_configuration
from gateway.app.check.results import CheckResult, problem, skipped, warning, well
from gateway.app.check.token_keys import check_token_keys
from gateway.identity import AccessScope
from gateway.settings import Settings, load_settings

STORE = {"STORE_HASH": "abc123", "ACCESS_TOKEN": "t0k3n"}


def settings_of(variables: Mapping[str, str]) -> Settings:
    return load_settings({f"GATEWAY_{name}": value for name, value in variables.items()})


def results(*environment: tuple[str, str], **variables: str) -> dict[str, CheckResult]:
    found = check_configuration(settings_of(variables), dict(environment), has_tracing=True)
    return {one.name: one for one in found}


def test_settings_of_the_emulator_are_well() -> None:
    assert [*results().values()] == [
        well("settings", "None is set: all are the defaults."),
        well("clients", "Whatever reaches the gateway may ask, on loopback alone."),
        skipped("api_keys"),
        well(
            "hosts", "Served are requests for localhost, 127.0.0.1, [::1]; others get status 421."
        ),
        well("cors", "No page of another site may call the gateway."),
        skipped("trusted_documents"),
        well("telemetry", "The log is text, from level info; on: /status on loopback."),
        skipped("tracing"),
    ]


def test_variables_that_are_set_are_named_and_a_secret_by_its_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0k3n", encoding="utf-8")
    found = results(
        STORE_HASH="abc123", ACCESS_TOKEN_FILE=str(token), CORS_ORIGINS="https://a.example"
    )
    assert found["settings"].says == (
        "Set: GATEWAY_STORE_HASH, GATEWAY_ACCESS_TOKEN_FILE, GATEWAY_CORS_ORIGINS."
    )
    assert found["cors"].says == "Pages of https://a.example may call it."


def test_store_whose_clients_nothing_names_is_a_problem() -> None:
    assert results(**STORE)["clients"] == problem(
        "clients",
        "A real store is set, and nothing says who may ask.",
        "`gateway serve` refuses to start. Set GATEWAY_API_KEYS_FILE (`gateway keys create` makes "
        "it) or GATEWAY_JWT_JWKS_URL; or, for a gateway that only its own router reaches, "
        "GATEWAY_ALLOW_ANONYMOUS=read.",
    )


def test_clients_are_named_by_what_they_have(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    create_api_key(file, "web", [AccessScope.SEGMENTS_READ])
    found = results(
        **STORE,
        API_KEYS_FILE=str(file),
        JWT_JWKS_URL="https://id.example/keys",
        JWT_ISSUER="https://id.example",
        JWT_AUDIENCE="segments",
    )
    assert found["clients"] == well(
        "clients",
        "Clients are known by API keys and by tokens of https://id.example; others may do nothing.",
    )
    assert found["api_keys"] == well(
        "api_keys", f"1 key in {file}, which only its owner can write (mode 0600)."
    )
    assert results(**STORE, ALLOW_ANONYMOUS="read")["clients"] == well(
        "clients", "All clients may read, without credentials."
    )
    assert results(**STORE, ALLOW_ANONYMOUS="write")["clients"] == warning(
        "clients",
        "All clients may read and write, without credentials.",
        "Whatever reaches the gateway may change the store. Unless that is its own router alone, "
        "set GATEWAY_ALLOW_ANONYMOUS=read or leave it out.",
    )
    revoke_api_key(file, "web")
    assert results(**STORE, API_KEYS_FILE=str(file))["api_keys"] == warning(
        "api_keys",
        f"0 keys in {file}, which only its owner can write (mode 0600).",
        "No client has a key: `gateway keys create` makes one.",
    )


def test_metrics_that_no_client_may_read_are_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    create_api_key(file, "web", [AccessScope.SEGMENTS_READ])
    switches = {"METRICS": "true", "STATUS": "false", "LOG_FORMAT": "json", "LOG_REQUESTS": "true"}
    says = "The log is json, from level info; on: /metrics, a line for each request."
    assert results(**switches, API_KEYS_FILE=str(file))["telemetry"] == warning(
        "telemetry",
        says,
        "No client may read /metrics: make a key with `gateway keys create --scope metrics`.",
    )
    create_api_key(file, "prometheus", [AccessScope.METRICS])
    assert results(**switches, API_KEYS_FILE=str(file))["telemetry"] == well("telemetry", says)
    assert results(STATUS="false")["telemetry"].says == "The log is text, from level info."


def test_any_host_is_a_warning() -> None:
    assert results(ALLOWED_HOSTS="*")["hosts"] == warning(
        "hosts",
        "Requests for any host are served.",
        "A page that lets its own name lead here could ask, too: name the hosts in "
        "GATEWAY_ALLOWED_HOSTS, unless a proxy in front checks them.",
    )


def test_documents_of_the_manifest_are_validated(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text('{"list": "{ segments { totalCount } }"}', encoding="utf-8")
    manifest = {"TRUSTED_DOCUMENTS_FILE": str(file)}
    assert results(**manifest)["trusted_documents"] == well(
        "trusted_documents", "1 in the manifest; others are executed."
    )
    only = results(**manifest, TRUSTED_DOCUMENTS_ONLY="true")["trusted_documents"]
    assert only.says == "1 in the manifest; no other is executed."
    file.write_text('{"list": "{ nothing }"}', encoding="utf-8")
    assert results(**manifest)["trusted_documents"] == problem(
        "trusted_documents",
        "GATEWAY_TRUSTED_DOCUMENTS_FILE: the document 'list': Cannot query field 'nothing' on type "
        "'Query'.",
        "`gateway serve` refuses to start. Make the manifest again, with the schema that "
        "`gateway schema --api` prints.",
    )


def test_tracing_needs_its_package() -> None:
    endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    assert check_configuration(settings_of({}), dict([endpoint]), has_tracing=False)[-1] == warning(
        "tracing",
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed.",
        "Install the gateway with the extra `otel`: "
        "pip install 'bigcommerce-segments-gateway[otel]'.",
    )
    assert results(endpoint)["tracing"] == well("tracing", "On, by OTEL_EXPORTER_OTLP_ENDPOINT.")
    assert results(("OTEL_TRACES_EXPORTER", "none"))["tracing"] == skipped("tracing")


async def test_keys_of_the_issuer_are_fetched_and_counted() -> None:
    answers = [{"keys": [public_jwk(RSA_KEY, kid="one"), public_jwk(OTHER_RSA_KEY, kid="two")]}, {}]

    async def keys(_: Request) -> JSONResponse:
        return JSONResponse(answers.pop(0))

    with serving(Starlette(routes=[Route("/keys", keys)])) as url:
        settings = settings_of(
            {
                "JWT_JWKS_URL": f"{url}/keys",
                "JWT_ISSUER": "https://id.example",
                "JWT_AUDIENCE": "segments",
            }
        )
        found = [await check_token_keys(settings) for _ in range(2)]
    to_do = (
        "Until they can, clients with tokens get an error. Check GATEWAY_JWT_JWKS_URL, and whether "
        "this machine reaches it."
    )
    begin = "The keys that sign tokens cannot be fetched: "
    assert [*found, await check_token_keys(settings), await check_token_keys(settings_of({}))] == [
        well("jwks", "127.0.0.1 has 2 keys for RS256, ES256."),
        problem("jwks", f"{begin}the answer is no JSON Web Key Set.", to_do),
        problem("jwks", f"{begin}connection refused.", to_do),
        skipped("jwks"),
    ]
