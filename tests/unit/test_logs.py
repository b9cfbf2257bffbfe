import asyncio
import logging
from collections.abc import Iterator

import msgspec
import pytest

from gateway.logs import NOISY_LOGGERS, configure_logging, request_in_progress


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # or configuring would close those of pytest
    yield
    root.handlers = handlers
    root.setLevel(level)
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_json_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    logging.getLogger("gateway.test").warning("two\nlines and %s", "ü")
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    line = msgspec.json.decode(written, type=dict[str, str])
    assert list(line) == ["time", "level", "logger", "message"]
    assert line["time"].endswith("+00:00")
    assert (line["level"], line["logger"]) == ("warning", "gateway.test")
    assert line["message"] == "two\nlines and ü"


def test_a_stack_travels_in_the_same_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("gateway.test").exception("it failed")
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    line = msgspec.json.decode(written, type=dict[str, str])
    assert line["stack"].endswith("ValueError: why")


def test_text_is_a_line_with_level_and_logger(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "text")
    logging.getLogger("gateway.test").info("hello")
    logging.getLogger("gateway.test").debug("unheard")
    assert capsys.readouterr().err.endswith(" INFO    gateway.test: hello\n")


def test_addresses_that_are_asked_stay_out_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", "text")
    for name in ("aiocache.base", "httpx", "httpcore.connection", "uvicorn.error"):
        logging.getLogger(name).info("GET https://api.bigcommerce.com/stores/abc123")
    assert capsys.readouterr().err == ""


@pytest.fixture
def request_id() -> Iterator[str]:
    token = request_in_progress.set("r-1")
    yield "r-1"
    request_in_progress.reset(token)


def test_lines_of_a_request_bear_its_id(
    request_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info", "text")
    logging.getLogger("gateway.test").info("hello")
    assert capsys.readouterr().err.endswith(" INFO    gateway.test [r-1]: hello\n")
    configure_logging("info", "json")
    logging.getLogger("gateway.test").info("hello")
    line = msgspec.json.decode(capsys.readouterr().err, type=dict[str, str])
    assert line["request"] == request_id


def test_libraries_are_not_heard_below_the_level_that_is_set(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("error", "text")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "is_logged"), [(asyncio.CancelledError(), False), (ValueError("why"), True)]
)
def test_stack_of_a_cancelled_request_stays_out_of_the_log(
    error: BaseException, is_logged: bool
) -> None:
    configure_logging("info", "text")
    uvicorn = logging.getLogger("uvicorn.error")
    exc_info = (type(error), error, None)
    record = uvicorn.makeRecord(uvicorn.name, logging.ERROR, "", 0, "Exception", (), exc_info)
    assert bool(uvicorn.filter(record)) is is_logged


@pytest.mark.parametrize(("tasks", "is_logged"), [(0, False), (1, True)])
def test_stop_that_cancels_nothing_is_no_error(
    tasks: int, is_logged: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info", "text")
    line = "Cancel %s running task(s), timeout graceful shutdown exceeded"
    logging.getLogger("uvicorn.error").error(line, tasks)
    assert (line % tasks in capsys.readouterr().err) is is_logged


FORGED = "2026-01-01 00:00:00,000 ERROR   gateway: all is lost"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1e", "\x85", "\u2028"])
def test_text_that_is_logged_begins_no_line(end: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "text")
    logging.getLogger("gateway.test").warning("who: %s", f"me{end}{FORGED}")
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 1
    assert written.endswith(f"{FORGED}\n")


def test_exception_s_text_begins_no_line_and_commands_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("info", "text")
    try:
        raise ValueError(f"\x1b[2J\n{FORGED}\r{FORGED}")
    except ValueError:
        logging.getLogger("gateway.test").exception("it failed")
    first, *stack = capsys.readouterr().err.splitlines()
    assert first.endswith("gateway.test: it failed")
    assert stack[0] == "  Traceback (most recent call last):"
    assert stack[-2:] == ["  ValueError: \\u001b[2J", f"  {FORGED}\\u000d{FORGED}"]
    assert all(line.startswith("  ") for line in stack)


def test_json_line_has_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    logging.getLogger("gateway.test").warning("\x1b[2J\r\n\x85\u2028%s", FORGED)
    written = capsys.readouterr().err
    assert [character for character in written if not character.isprintable()] == ["\n"]
    line = msgspec.json.decode(written, type=dict[str, str])
    assert line["message"] == f"\x1b[2J\r\n\x85\u2028{FORGED}"
