"""Credentials at real processes: every worker asks for them, and sees a revoked key."""

from pathlib import Path
from time import monotonic

import httpx
import pytest
from processes import emulator_on_a_port
from running import PATIENCE_SECONDS, Running, store_at

from gateway.api_keys import create_api_key, revoke_api_key
from gateway.identity import AccessScope

QUERY = {"query": "{ segments { totalCount } }"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_worker_asks_for_credentials(workers: str, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = create_api_key(file, "web", [AccessScope.SEGMENTS_READ])
    with emulator_on_a_port(3) as (url, _):
        environment = {**store_at(url), "GATEWAY_API_KEYS_FILE": str(file)}
        gateway = Running("serve", "--host", "0.0.0.0", "--workers", workers, **environment)
        assert "; authentication of clients: API keys" in gateway.lines[0]

        def ask(**headers: str) -> int:
            address = f"http://127.0.0.1:{gateway.port}/graphql"
            answer = httpx.post(address, json=QUERY, headers=headers, timeout=PATIENCE_SECONDS)
            return answer.status_code

        # Each connection is another one, which either worker may take.
        assert {ask(Authorization=f"Bearer {key}") for _ in range(10)} == {200}
        assert {ask() for _ in range(4)} == {401}
        revoke_api_key(file, "web")
        deadline = monotonic() + PATIENCE_SECONDS
        while ask(Authorization=f"Bearer {key}") == 200:
            assert monotonic() < deadline
        gateway.stop()
        assert key not in "".join(gateway.lines)
