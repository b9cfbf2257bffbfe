import re
import runpy
import socket
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from gateway.cli import main, variables_to_read_it
from gateway.emulator import create_emulator, seeded_store
from gateway.schema import Federation, build_graph
from gateway.settings import Settings, check_control, load_settings, settings_table

FULL = Path("/dev/full")
LOOPBACK = "http://127.0.0.1:8001"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {})


def refusal(*argv: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The message for wrong arguments, which are found before anything is done."""
    with pytest.raises(SystemExit) as caught:
        main(argv)
    said = capsys.readouterr()
    assert caught.value.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_schema_prints_the_schema_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr() == (build_graph().sdl, "")


def test_schema_is_the_one_of_the_settings_and_of_clients_with_an_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_SUBGRAPH_NODE", "true")
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == build_graph(federation=Federation(node=True)).sdl
    assert main(["schema", "--api"]) == 0
    assert capsys.readouterr().out == build_graph().api_sdl


def test_settings_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings"]) == 0
    assert capsys.readouterr() == (settings_table(Settings()) + "\n", "")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("argument", ["schema", "settings", "demo", "--help", "--version"])
def test_output_that_cannot_be_written_ends_with_one_sentence(
    argument: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main([argument]) == 1
    said = "gateway: cannot write to standard output: no space left on device.\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("command", ["serve", "settings", "check"])
def test_half_a_configuration_stops_with_a_sentence(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_STORE_HASH", "abc123")
    assert main([command]) == 2
    said = "gateway: GATEWAY_STORE_HASH is set without GATEWAY_ACCESS_TOKEN: set both.\n"
    assert capsys.readouterr() == ("", said)


def test_each_wrong_setting_gets_a_line_that_says_what_to_write(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "STORE_HSH": "abc123",  # without it, the token would be half a configuration
        "ACCESS_TOKEN": "t0k3n",
        "CACHE_TTL_SECONDS": "-1",
        "GRAPHIQL": "perhaps",
        "LOG_LEVEL": "loud",
        "API_KEYS_FILE": "/nowhere/keys.json",
        "REDIS_URL_FILE": "/nowhere/redis",
        "JWT_JWKS_URL": "id.example.com",
    }.items():
        monkeypatch.setenv(f"GATEWAY_{name}", value)
    assert main(["settings"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "gateway: GATEWAY_STORE_HSH is no setting of the gateway. Did you mean GATEWAY_STORE_HASH?",
        "gateway: GATEWAY_REDIS_URL_FILE: The file cannot be read: no such file or directory.",
        "gateway: GATEWAY_CACHE_TTL_SECONDS: It has to be a number, at least 0 and at most 86400.",
        "gateway: GATEWAY_API_KEYS_FILE: There is no file with this path: `gateway keys create` "
        "makes it.",
        "gateway: GATEWAY_JWT_JWKS_URL: It has to be a valid URL, such as "
        "https://id.example.com/.well-known/jwks.json (relative URL without a base).",
        "gateway: GATEWAY_GRAPHIQL: It has to be true or false.",
        "gateway: GATEWAY_LOG_LEVEL: It has to be 'debug', 'info', 'warning' or 'error'.",
    ]


def test_each_half_of_a_configuration_gets_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_STORE_HASH", "abc123")
    monkeypatch.setenv("GATEWAY_JWT_ISSUER", "https://id.example.com")
    assert main(["settings"]) == 2
    assert capsys.readouterr().err == (
        "gateway: GATEWAY_STORE_HASH is set without GATEWAY_ACCESS_TOKEN: set both.\n"
        "gateway: GATEWAY_JWT_ISSUER is set without GATEWAY_JWT_JWKS_URL: set both.\n"
    )


def test_workers_need_a_separate_upstream(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--workers", "2"]) == 2
    assert capsys.readouterr().err == (
        "gateway: --workers needs a separate upstream: each worker would have an emulator of its "
        "own. Run `gateway emulator`, and set the three variables that it prints.\n"
    )


@pytest.mark.parametrize(
    "argv",
    [
        ("serve", "--port", "http"),
        ("serve", "--port", "65536"),
        ("serve", "--port", "-1"),
        ("emulator", "--host", " "),
        ("serve", "--workers", "0"),
        ("serve", "--worker", "2"),
        ("emulator", "--segments", "1001"),
        ("emulator", "--window-ms", "0"),
        ("emulator", "--window-ms", "86400001"),
        ("emulator", "--window-ms", "5s"),
        ("emulator", "--latency-ms", "0.5"),
        ("emulator", "--latency-ms", "5-2"),
        ("emulator", "--over-limit", "explode"),
        ("emulator", "--past-the-end", "explode"),
        ("emulator", "--fault", "html:0"),
        ("emulator", "--fault", "html:"),
        ("emulator", "--fault", "status=200"),
        ("emulator", "--fault", "drip"),
        ("emulator", "--fault", "html:101%"),
        ("emulator", "--control", "yes"),
        ("keys",),
        ("keys", "make"),
        ("keys", "create", "--name", "web", "--file", "keys.json"),
        ("keys", "create", "--name", "a b", "--scope", "metrics", "--file", "keys.json"),
        ("keys", "create", "--name", "web", "--scope", "metrix", "--file", "keys.json"),
        ("keys", "list"),
        ("keys", "revoke", "--file", "keys.json"),
        ("schema", "more"),
        ("demo", "--only", "walk"),
        ("migrate",),
        (),
    ],
)
def test_wrong_arguments_get_one_sentence(
    argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    said = refusal(*argv, capsys=capsys)
    assert said.startswith("gateway")
    assert said.endswith("--help` says more.\n")


def test_a_wrong_number_is_refused_with_its_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal("emulator", "--segments", "1001", capsys=capsys) == (
        "gateway emulator: argument --segments: '1001' is not a whole number from 0 to 1000. "
        "`gateway emulator --help` says more.\n"
    )


@pytest.mark.parametrize(
    ("host", "url", "plain_http_host"),
    [
        ("127.0.0.1", "http://127.0.0.1:8001", None),
        ("::1", "http://[::1]:8001", None),
        ("0.0.0.0", "http://127.0.0.1:8001", None),
        ("::", "http://[::1]:8001", None),
        ("10.0.0.5", "http://10.0.0.5:8001", "10.0.0.5"),
        ("fd00::5", "http://[fd00::5]:8001", "fd00::5"),
    ],
)
def test_variables_for_an_emulator_are_all_that_a_gateway_needs(
    host: str, url: str, plain_http_host: str | None
) -> None:
    emulator = create_emulator(seeded_store(1)).state.emulator
    variables = variables_to_read_it(emulator, host, 8001)
    settings = load_settings(variables)
    assert (settings.store_hash, str(settings.upstream_url)) == ("emulator", url)
    assert variables.get("GATEWAY_UPSTREAM_PLAIN_HTTP_HOST") == plain_http_host


def test_an_unknown_fault_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert refusal("emulator", "--fault", "boom:2", capsys=capsys) == (
        "gateway emulator: argument --fault: 'boom' is none of server-error, status, "
        "rate-limited, overloaded, html, truncated, null-data, zero-per-page, missing-row, reset, "
        "lost-answer, cut, drip. "
        "`gateway emulator --help` says more.\n"
    )


def test_help_of_the_emulator_shows_the_syntax_of_faults(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["emulator", "--help"])
    assert caught.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "--fault NAME[=NUMBER][:OFTEN][@OPERATION] fail the first requests, or those of" in said
    assert "as in 20%, that part of all" in said


@pytest.mark.parametrize(
    ("argv", "nearest"),
    [
        (("emulator", "--fault", "htm:2"), "html"),
        (("emulator", "--forbid", "list_segment"), "list_segments"),
        (
            ("keys", "create", "--name", "w", "--file", "f", "--scope", "metrics,segments:raed"),
            "segments:read",
        ),
    ],
)
def test_a_misspelt_word_gets_the_nearest_one(
    argv: tuple[str, ...], nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f". Did you mean {nearest}? `gateway " in refusal(*argv, capsys=capsys)


def test_an_empty_host_is_no_host(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal("serve", "--host", "", capsys=capsys) == (
        "gateway serve: argument --host: it is empty; 0.0.0.0 listens on every network. "
        "`gateway serve --help` says more.\n"
    )


def test_version_is_the_distribution_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"gateway {version('bigcommerce-segments-gateway')}\n"


def test_the_package_runs_as_a_module(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["gateway", "schema"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("gateway", run_name="__main__")
    assert caught.value.code == 0
    assert capsys.readouterr().out == build_graph().sdl


def test_a_key_is_printed_once_and_listed_without_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "keys.json")
    scope = ("--scope", "segments:read,profiles:read")
    assert main(["keys", "create", "--name", "web", *scope, "--file", file]) == 0
    printed = capsys.readouterr()
    assert re.fullmatch(r"gwk_[A-Za-z0-9_-]{43}\n", printed.out)
    assert printed.err == ""
    assert main(["keys", "list", "--file", file]) == 0
    listed = capsys.readouterr().out
    assert re.fullmatch(r"web  \S+T\S+Z  segments:read,profiles:read\n", listed)
    assert main(["keys", "revoke", "--name", "web", "--file", file]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["keys", "list", "--file", file]) == 0
    assert capsys.readouterr() == ("", "")


def test_keys_that_cannot_be_changed_stop_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(tmp_path / "nowhere" / "keys.json")
    assert main(["keys", "revoke", "--name", "web", "--file", nowhere]) == 2
    assert capsys.readouterr() == (
        "",
        "gateway: --file: The file cannot be read: no such file or directory. "
        "`gateway keys create` makes it.\n",
    )
    new = ("--name", "web", "--scope", "metrics", "--file", nowhere)
    assert main(["keys", "create", *new]) == 2
    assert capsys.readouterr() == (
        "",
        "gateway: --file: The file cannot be written: no such file or directory. "
        "Make its folder first.\n",
    )


WAYS = (
    "and nothing says who may ask. Set GATEWAY_API_KEYS_FILE (`gateway keys create` makes it) or "
    "GATEWAY_JWT_JWKS_URL; or, for a gateway that only its own router reaches, "
    "GATEWAY_ALLOW_ANONYMOUS=read.\n"
)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_gateway_that_others_reach_has_to_know_who_may_ask(
    host: str, workers: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("STORE_HASH", "a"), ("ACCESS_TOKEN", "t"), ("UPSTREAM_URL", LOOPBACK)):
        monkeypatch.setenv(f"GATEWAY_{name}", value)
    assert main(["serve", "--host", host, "--port", "0", "--workers", workers]) == 2
    assert capsys.readouterr() == ("", f"gateway: Other machines reach {host}, {WAYS}")


def test_a_real_store_has_to_know_who_may_ask_on_loopback_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_STORE_HASH", "abc123")
    monkeypatch.setenv("GATEWAY_ACCESS_TOKEN", "t0k3n")
    assert main(["serve", "--port", "0"]) == 2
    assert capsys.readouterr() == ("", f"gateway: A real store is set, {WAYS}")
    assert main(["settings"]) == 0


def test_a_name_that_leads_elsewhere_is_an_address_that_others_reach(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def listen_elsewhere(*_: object) -> socket.socket:
        return socket.create_server(("0.0.0.0", 0))

    monkeypatch.setattr("gateway.cli.listen", listen_elsewhere)
    assert main(["serve", "--host", "my-machine"]) == 2
    assert capsys.readouterr().err.startswith("gateway: Other machines reach 0.0.0.0, ")


def test_an_emulator_that_others_reach_cannot_be_controlled(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["emulator", "--control", "--host", "0.0.0.0", "--port", "0"]) == 2
    assert capsys.readouterr() == (
        "",
        "gateway: Other machines reach 0.0.0.0, and with --control they could change the "
        "emulator: leave out --control, or listen on 127.0.0.1.\n",
    )
    for address in ("127.0.0.1", "::1"):
        check_control(address)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_manifest_that_cannot_be_used_stops_the_start(
    workers: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "manifest.json"
    file.write_text('{"list": "{ nothing }"}', encoding="utf-8")
    monkeypatch.setenv("GATEWAY_STORE_HASH", "abc123")
    monkeypatch.setenv("GATEWAY_ACCESS_TOKEN", "t0k3n")
    monkeypatch.setenv("GATEWAY_UPSTREAM_URL", LOOPBACK)
    monkeypatch.setenv("GATEWAY_TRUSTED_DOCUMENTS_FILE", str(file))
    assert main(["serve", "--workers", workers, "--port", "0"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "gateway: GATEWAY_TRUSTED_DOCUMENTS_FILE: the document 'list': "
        "Cannot query field 'nothing' on type 'Query'."
    )
