"""The commands: `gateway serve | emulator | schema | settings | check | keys | demo | completion`.

Exit status: 0 done; 1 the check failed, nothing could start, the stop cut requests off or the
output cannot be written; 2 wrong arguments or settings, or no such address to listen on; 130
Ctrl-C; 141 the reader has closed the output.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_address

from gateway.api_keys import (
    ApiKeysError,
    api_keys_table,
    create_api_key,
    read_api_keys,
    revoke_api_key,
)
from gateway.app import (
    app_from_environment,
    check,
    create_app,
    create_graph,
    report_for,
    shared_metrics,
    trusted_documents,
    warn_of_missing_traces,
)
from gateway.arguments import Arguments, create_parser
from gateway.completion import completion_script
from gateway.emulator import CONTROL_PATH, Emulator, Faults, create_emulator, seeded_store
from gateway.logs import configure_logging
from gateway.server import (
    CannotListen,
    ShutdownPolicy,
    address,
    address_of,
    listen,
    serve,
    serve_with_workers,
)
from gateway.settings import (
    SettingsError,
    check_control,
    check_exposure,
    load_settings,
    settings_table,
    summary,
)

EMULATOR_GRACE_SECONDS = 5

log = logging.getLogger(__name__)


class OutputFailed(Exception):
    """Standard output cannot be written; the cause is the `OSError`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    _open_standard_streams()
    try:
        try:
            return _run(argv)
        finally:
            _write()  # what argparse has printed, as for --help
    except OutputFailed as error:
        # At its exit, Python writes the rest of the buffer again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error.__cause__, BrokenPipeError):
            return 128 + 13  # as a shell reports SIGPIPE
        print(f"gateway: cannot write to standard output: {error}.", file=sys.stderr)
        return 1


def _write(text: str = "") -> None:
    """Writes to standard output at once; raises `OutputFailed` if that is not possible."""
    try:
        print(text, end="", flush=True)
    except OSError as error:
        raise OutputFailed((error.strerror or type(error).__name__).lower()) from error


def _open_standard_streams() -> None:
    """Opens standard input, output and error on the null device, if closed.

    Otherwise a socket would get the descriptor, and then the output of the stream.
    """
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)  # by workers
    # The last descriptor stays open for the streams: 1 and 2 may belong to another file.
    null = os.fdopen(descriptor, "w")
    sys.stdout = sys.stdout or null
    sys.stderr = sys.stderr or null


def _run(argv: Sequence[str] | None) -> int:
    arguments = create_parser().parse_args(argv, namespace=Arguments())
    try:
        return COMMANDS[arguments.command](arguments)
    except (SettingsError, CannotListen) as error:
        for line in str(error).splitlines():
            print(f"gateway: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _serve(arguments: Arguments) -> int:
    settings = load_settings()
    if arguments.workers > 1 and settings.uses_emulator:
        raise SettingsError(
            "--workers needs a separate upstream: each worker would have an emulator of its own. "
            "Run `gateway emulator`, and set the three variables that it prints."
        )
    if arguments.workers > 1:
        trusted_documents(settings, create_graph(settings))  # one error, before any worker starts
    configure_logging(settings.log_level, settings.log_format)
    with listen(arguments.host, arguments.port) as listener:
        # The address that a name such as that of this machine has led to.
        address_listened_on = listener.getsockname()[0]
        check_exposure(settings, address_listened_on)
        # The emulator's data is invented: this line must appear at every log level.
        warning = max(logging.WARNING, log.getEffectiveLevel())
        log.log(warning if settings.uses_emulator else logging.INFO, "%s", summary(settings))
        if settings.shows_status(address_listened_on):
            log.info("the last hour of this gateway: %s/status", address_of(listener))
        if settings.metrics:
            log.info("metrics for Prometheus: %s/metrics", address_of(listener))
        warn_of_missing_traces()
        policy = ShutdownPolicy(
            settings.shutdown_grace_seconds, settings.drain_seconds, settings.keep_alive_seconds
        )
        if arguments.workers == 1:
            app = create_app(settings, address=address_listened_on)
            is_clean = serve(app, listener, policy)
        else:
            with shared_metrics(settings, address_listened_on) as ended:
                is_clean = serve_with_workers(
                    partial(app_from_environment, address_listened_on),
                    listener,
                    policy,
                    workers=arguments.workers,
                    ended=ended,
                )
    return 0 if is_clean else 1


def _emulator(arguments: Arguments) -> int:
    configure_logging("info", "text")
    app = create_emulator(
        seeded_store(arguments.segments, arguments.profiles),
        latency_seconds=arguments.latency,
        max_limit=arguments.max_limit,
        over_limit=arguments.over_limit,
        past_the_end=arguments.past_the_end,
        token_scope=arguments.token_scope,
        dialect=arguments.dialect,
        profile_segment_rows=arguments.profile_segment_rows,
        max_batch=arguments.max_batch,
        forbidden_operations=arguments.forbidden_operations,
        rate_limit_quota=arguments.quota,
        rate_limit_window_ms=arguments.window_ms,
        faults=Faults(arguments.faults),
        control=arguments.control,
    )
    with listen(arguments.host, arguments.port) as listener:
        host, port = listener.getsockname()[:2]
        if arguments.control:
            check_control(host)
        variables = variables_to_read_it(app.state.emulator, host, port)
        lines = ["# For the gateway to read this store:"]
        lines += [f"export {variable}={value}" for variable, value in variables.items()]
        if arguments.control:
            url = variables["GATEWAY_UPSTREAM_URL"]
            lines.append(f"# Faults and behaviour while it runs: {url}{CONTROL_PATH}")
        _write("\n".join(lines) + "\n")
        is_clean = serve(app, listener, ShutdownPolicy(EMULATOR_GRACE_SECONDS))
    return 0 if is_clean else 1


def variables_to_read_it(emulator: Emulator, host: str, port: int) -> dict[str, str]:
    """Returns the settings with which a gateway on this machine reads an emulator."""
    if ip_address(host).is_unspecified:  # an address to listen on, not to connect to
        host = "::1" if ":" in host else "127.0.0.1"
    variables = {
        "GATEWAY_STORE_HASH": emulator.store_hash,
        "GATEWAY_ACCESS_TOKEN": emulator.token,
        "GATEWAY_UPSTREAM_URL": address(host, port),
    }
    if not ip_address(host).is_loopback:
        variables["GATEWAY_UPSTREAM_PLAIN_HTTP_HOST"] = host
    return variables


def _schema(arguments: Arguments) -> int:
    graph = create_graph(load_settings())
    _write(graph.api_sdl if arguments.api else graph.sdl)
    return 0


def _settings(_: Arguments) -> int:
    _write(settings_table(load_settings()) + "\n")
    return 0


def _check(arguments: Arguments) -> int:
    settings = load_settings()
    configure_logging("error" if settings.log_level == "error" else "warning", settings.log_format)
    report = asyncio.run(check(settings))
    _write((report.as_json() if arguments.json else report_for(sys.stdout, report)) + "\n")
    return 1 if report.problems else 0


def _keys(arguments: Arguments) -> int:
    try:
        match arguments.action:
            case "create":
                key = create_api_key(arguments.file, arguments.name, arguments.scopes)
                _write(f"{key}\n")
            case "list":
                _write(api_keys_table(read_api_keys(arguments.file)))
            case "revoke":
                revoke_api_key(arguments.file, arguments.name)
    except ApiKeysError as error:
        advice = ""
        if isinstance(error.__cause__, FileNotFoundError):
            makes = arguments.action == "create"
            advice = " Make its folder first." if makes else " `gateway keys create` makes it."
        raise SettingsError(f"--file: {error}.{advice}") from error
    return 0


def _completion(arguments: Arguments) -> int:
    _write(completion_script(create_parser(), arguments.shell) + "\n")
    return 0


def _demo(_: Arguments) -> int:
    # Here, because its import would add 40 ms to the start of every command.
    from gateway.demo import TASKS, Screen, StoreTerms, perform

    configure_logging("error", "text")
    # The demo's requests are none of the operator's: no collector gets spans of them.
    os.environ["OTEL_SDK_DISABLED"] = "true"
    try:
        asyncio.run(perform(Screen(), TASKS, StoreTerms()))
    except OSError as error:
        raise OutputFailed((error.strerror or type(error).__name__).lower()) from error
    return 0


COMMANDS: dict[str, Callable[[Arguments], int]] = {
    "serve": _serve,
    "emulator": _emulator,
    "schema": _schema,
    "settings": _settings,
    "check": _check,
    "keys": _keys,
    "demo": _demo,
    "completion": _completion,
}
