import asyncio
import logging
from collections.abc import Iterator

import msgspec
import pytest

from gateway.logs import configure_logging


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # or configuring would close those of pytest
    yield
    root.handlers = handlers
    root.setLevel(level)
    for name in ("httpx", "httpcore", "uvicorn", "uvicorn.error"):
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
    for name in ("httpx", "httpcore.connection", "uvicorn.error"):
        logging.getLogger(name).info("GET https://api.bigcommerce.com/stores/abc123")
    assert capsys.readouterr().err == ""


def test_stack_of_a_cancelled_request_stays_out_of_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("info", "text")
    for error in (asyncio.CancelledError(), ValueError("why")):
        logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
    assert capsys.readouterr().err.endswith(
        " ERROR   uvicorn.error: Exception in ASGI application\nValueError: why\n"
    )
