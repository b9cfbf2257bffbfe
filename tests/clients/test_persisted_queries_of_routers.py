"""Routers that send the gateway the hash of a document in its place."""

import json
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
import start
from federation_router import needs_routers, router_over
from processes import PATIENCE_SECONDS, serving
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.app import create_app
from gateway.settings import load_settings

pytestmark = needs_routers()


def recorded(app: ASGIApp, sent: list[str]) -> ASGIApp:
    """The gateway; `sent` gets "hash", or "document" with its hash, for each request."""

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""

        async def read() -> MutableMapping[str, Any]:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            if message["type"] == "http.request" and not message.get("more_body"):
                asked = json.loads(body)
                assert len(asked["extensions"]["persistedQuery"]["sha256Hash"]) == 64
                sent.append("document" if asked.get("query") else "hash")
            return message

        await app(scope, read if scope["type"] == "http" else receive, send)

    return gateway


@pytest.mark.parametrize("name", start.ROUTERS)
def test_router_sends_a_document_once_and_then_its_hash(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGMENTS_APQ", "true")
    sent: list[str] = []
    app = create_app(load_settings({"GATEWAY_EMULATOR_SEGMENTS": "7"}))
    with (
        serving(recorded(app, sent)) as gateway,
        router_over(name, {"segments": f"{gateway}/graphql"}) as url,
    ):
        for text in ("{ segments { totalCount } }", "{ segments { totalCount nodes { name } } }"):
            for _ in range(2):
                answer = httpx.post(
                    url, json={"query": text}, timeout=PATIENCE_SECONDS, trust_env=False
                )
                assert answer.json()["data"]["segments"]["totalCount"] == 7
    assert sent == ["hash", "document", "hash"] * 2
