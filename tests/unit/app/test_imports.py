"""What a gateway imports until its first answer: no client for what its settings do not name."""

import os
import subprocess
import sys

import pytest

# In a process of its own: this one has imported everything.
FIRST_ANSWER = """
import asyncio, sys
import gateway.cli, httpx
from gateway.app import create_app
from gateway.settings import load_settings

async def main():
    app = create_app(load_settings())
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")
    async with app.router.lifespan_context(app), http:
        query = {"query": "{ segments(first: 50) { totalCount } }"}
        answer = await http.post("/graphql", json=query)
        assert answer.json()["data"] == {"segments": {"totalCount": 120}}, answer.text

asyncio.run(main())
imported = {"jwt", "opentelemetry.sdk.trace", "prometheus_client", "redis"} & sys.modules.keys()
print(*sorted(imported))
"""
REDIS = {"GATEWAY_REDIS_URL": "redis://127.0.0.1:1"}
METRICS = {"GATEWAY_METRICS": "true"}
TRACES = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "GATEWAY_LOG_REQUESTS": "true"}
TOKENS = {
    "GATEWAY_JWT_JWKS_URL": "https://issuer.example/keys",
    "GATEWAY_JWT_ISSUER": "https://issuer.example",
    "GATEWAY_JWT_AUDIENCE": "gateway",
    "GATEWAY_ALLOW_ANONYMOUS": "read",
}


@pytest.mark.parametrize(
    ("settings", "imported"),
    [
        ({}, []),
        (REDIS, ["redis"]),
        (TOKENS, ["jwt"]),
        (METRICS, ["prometheus_client"]),
        (TRACES, ["opentelemetry.sdk.trace"]),
    ],
    ids=["no settings", "Redis", "tokens", "metrics", "traces"],
)
def test_a_client_is_imported_where_its_settings_are(
    settings: dict[str, str], imported: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_ANSWER],
        env={name: value for name, value in os.environ.items() if "GATEWAY_" not in name}
        | {"PYTHONPATH": os.pathsep.join(sys.path)}
        | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, imported), done.stderr
