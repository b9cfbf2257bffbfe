"""The checks of the settings, and of the files that they name. They send nothing."""

from collections.abc import Mapping
from typing import Final

from gateway.api_keys import ApiKeysError, read_api_keys
from gateway.app.application import create_graph, trusted_documents
from gateway.app.check.results import CheckResult, problem, skipped, warning, well
from gateway.identity import AccessScope
from gateway.settings import Settings, SettingsError, check_exposure

EVERY_HOST: Final = "*"
# OpenTelemetry: one of these turns tracing on.
TRACING: Final = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
)


def check_configuration(
    settings: Settings, environment: Mapping[str, str], *, has_tracing: bool
) -> list[CheckResult]:
    """Returns the results.

    `environment` has the variables of OpenTelemetry; `has_tracing` is whether it is installed.
    """
    return [
        _settings(settings),
        _clients(settings),
        _api_keys(settings),
        _hosts(settings),
        _origins(settings),
        _documents(settings),
        _telemetry(settings),
        _tracing(environment, is_installed=has_tracing),
    ]


def _settings(settings: Settings) -> CheckResult:
    names = [
        f"GATEWAY_{field.upper()}"
        for field in Settings.model_fields
        # A secret that comes from a file has no variable of its own.
        if field in settings.model_fields_set and f"{field}_file" not in settings.model_fields_set
    ]
    if not names:
        return well("settings", "None is set: all are the defaults.")
    return well("settings", f"Set: {', '.join(names)}.")


def _clients(settings: Settings) -> CheckResult:
    try:
        check_exposure(settings)
    except SettingsError as error:
        says, _, to_do = str(error).partition(". ")
        return problem("clients", f"{says}.", f"`gateway serve` refuses to start. {to_do}")
    if not settings.says_who_clients_are:
        return well("clients", "Whatever reaches the gateway may ask, on loopback alone.")
    ways = ["API keys"] if settings.api_keys_file is not None else []
    if settings.jwt_jwks_url is not None:
        ways.append(f"tokens of {settings.jwt_issuer}")
    others = {"none": "do nothing", "read": "read", "write": "read and write"}[
        settings.allow_anonymous
    ]
    says = f"Clients are known by {' and by '.join(ways)}; others may {others}."
    if not ways:
        says = f"All clients may {others}, without credentials."
    if settings.allow_anonymous == "write" and settings.reads_real_store:
        return warning(
            "clients",
            says,
            "Whatever reaches the gateway may change the store. Unless that is its own router "
            "alone, set GATEWAY_ALLOW_ANONYMOUS=read or leave it out.",
        )
    return well("clients", says)


def _api_keys(settings: Settings) -> CheckResult:
    file = settings.api_keys_file
    if file is None:
        return skipped("api_keys")
    try:
        keys, mode = read_api_keys(file), file.stat().st_mode & 0o777
    except (ApiKeysError, OSError) as error:
        return problem("api_keys", f"{error}.", "`gateway keys create` makes the file.")
    number = f"{len(keys)} key{'' if len(keys) == 1 else 's'}"
    says = f"{number} in {file}, which only its owner can write (mode {mode:04o})."
    if not keys:
        return warning("api_keys", says, "No client has a key: `gateway keys create` makes one.")
    return well("api_keys", says)


def _hosts(settings: Settings) -> CheckResult:
    if settings.allowed_hosts == EVERY_HOST:
        return warning(
            "hosts",
            "Requests for any host are served.",
            "A page that lets its own name lead here could ask, too: name the hosts in "
            "GATEWAY_ALLOWED_HOSTS, unless a proxy in front checks them.",
        )
    hosts = settings.allowed_hosts.replace(",", ", ")
    return well("hosts", f"Served are requests for {hosts}; others get status 421.")


def _origins(settings: Settings) -> CheckResult:
    if settings.cors_origins is None:
        return well("cors", "No page of another site may call the gateway.")
    return well("cors", f"Pages of {settings.cors_origins.replace(',', ', ')} may call it.")


def _documents(settings: Settings) -> CheckResult:
    if settings.trusted_documents_file is None:
        return skipped("trusted_documents")
    try:
        number = len(trusted_documents(settings, create_graph(settings)).texts)
    except SettingsError as error:
        return problem(
            "trusted_documents",
            str(error),
            "`gateway serve` refuses to start. Make the manifest again, with the schema that "
            "`gateway schema --api` prints.",
        )
    others = "no other is" if settings.trusted_documents_only else "others are"
    return well("trusted_documents", f"{number} in the manifest; {others} executed.")


def _telemetry(settings: Settings) -> CheckResult:
    switches = {
        "/metrics": settings.metrics,
        "/status": settings.status,
        "/status on loopback": settings.status is None,
        "a line for each request": settings.log_requests,
        "documents in traces": settings.trace_documents,
    }
    switched_on = ", ".join(what for what, is_on in switches.items() if is_on)
    says = f"The log is {settings.log_format}, from level {settings.log_level}; on: {switched_on}."
    if settings.metrics and not _may_read_metrics(settings):
        return warning(
            "telemetry",
            says,
            "No client may read /metrics: make a key with `gateway keys create --scope metrics`.",
        )
    return well("telemetry", says if switched_on else says.replace("; on: ", ""))


def _may_read_metrics(settings: Settings) -> bool:
    """Whether a client may have the scope of metrics: tokens may, and all without credentials."""
    if settings.jwt_jwks_url is not None or not settings.says_who_clients_are:
        return True
    file = settings.api_keys_file
    return file is not None and any(
        AccessScope.METRICS in key.scopes for key in read_api_keys(file)
    )


def _tracing(environment: Mapping[str, str], *, is_installed: bool) -> CheckResult:
    names = [name for name in TRACING if environment.get(name, "none") not in ("", "none")]
    if not names:
        return skipped("tracing")
    if not is_installed:
        return warning(
            "tracing",
            f"{names[0]} is set, and OpenTelemetry is not installed.",
            "Install the gateway with the extra `otel`: "
            "pip install 'bigcommerce-segments-gateway[otel]'.",
        )
    return well("tracing", f"On, by {', '.join(names)}.")
