import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import uvicorn
from npm_tools import needs

from gateway.app import create_app
from gateway.settings import load_settings

AUDIT = Path(__file__).parent / "graphql-http"
AUDITS = 61

pytestmark = needs(AUDIT)


class Verdict(msgspec.Struct):
    """What one audit of graphql-http found."""

    id: str
    name: str
    status: str
    reason: str | None = None


@pytest.fixture
def url() -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(load_settings({})), log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/graphql"
    server.should_exit = True
    thread.join()
    listener.close()


def test_all_audits_of_graphql_http_are_ok(url: str) -> None:
    run = subprocess.run(
        ["node", AUDIT / "audit.js", url], capture_output=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr.decode()
    verdicts = msgspec.json.decode(run.stdout, type=list[Verdict])
    assert [verdict for verdict in verdicts if verdict.status != "ok"] == []
    assert len(verdicts) == AUDITS
