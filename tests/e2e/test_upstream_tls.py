"""A store behind a certificate of a private authority, as behind a company's proxy."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from processes import emulator_on_a_port
from running import TOKEN, Running, store_at
from tls_front import CERTIFICATE, tls_before

DEPLOYMENT = Path(__file__).parents[2] / "docs" / "deployment.md"
CAUSE = (
    "TLS: certificate not accepted: self-signed certificate; "
    "GATEWAY_UPSTREAM_CA_FILE has to name a file with its issuer's certificate"
)
TRUSTED = {"GATEWAY_UPSTREAM_CA_FILE": str(CERTIFICATE)}
QUERY = {"query": "{ segments { totalCount } }"}


@pytest.fixture
async def store() -> AsyncIterator[dict[str, str]]:
    """The settings of a gateway that reads a store over TLS."""
    with emulator_on_a_port(3) as (url, _):
        async with tls_before(int(url.rpartition(":")[2])) as port:
            yield store_at(f"https://127.0.0.1:{port}")


async def check(environment: dict[str, str]) -> tuple[int, str, str]:
    """Returns exit status, standard output and standard error of `gateway check`."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gateway", "check"],
        env={**bare, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout, as_now(ended.stderr)


def as_now(text: str) -> str:
    # OpenSSL 1.1 writes it without a hyphen.
    return text.replace("self signed", "self-signed")


async def answer_of(gateway: Running) -> object:
    async with httpx.AsyncClient(timeout=30) as http:
        return (await http.post(f"{gateway.url}/graphql", json=QUERY)).json()


async def test_store_is_read_with_its_authority(
    store: dict[str, str], run: Callable[..., Running]
) -> None:
    gateway = await asyncio.to_thread(run, "serve", **store, **TRUSTED)
    assert await answer_of(gateway) == {
        "data": {"segments": {"totalCount": 3}},
        "extensions": {"cache": {"age": 0, "stale": False}},
    }
    status, out, log = await check({**store, **TRUSTED})
    assert (status, log) == (0, "")
    assert f" Store emulator at {store['GATEWAY_UPSTREAM_URL']}: 3 segments.\n" in out
    assert "+ ok       address            127.0.0.1 answers over TLSv1." in out


async def test_without_it_the_operator_reads_what_is_missing(
    store: dict[str, str], run: Callable[..., Running]
) -> None:
    gateway = await asyncio.to_thread(run, "serve", **store)
    answer = await answer_of(gateway)
    assert isinstance(answer, dict)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    assert "certificate" not in error["message"]  # that is the operator's
    _, _, log = await asyncio.to_thread(gateway.stop)
    assert CAUSE in as_now(log)
    assert TOKEN not in log
    status, out, log = await check(store)
    assert status == 1
    assert "x problem  address            The store's API cannot be reached.\n" in out
    assert f"                              -> The reason: {CAUSE}.\n" in as_now(out)
    assert CAUSE in log


async def test_certificate_for_another_name_is_not_accepted(store: dict[str, str]) -> None:
    url = store["GATEWAY_UPSTREAM_URL"].replace("127.0.0.1", "localhost")
    status, out, _ = await check({**store, **TRUSTED, "GATEWAY_UPSTREAM_URL": url})
    assert status == 1
    assert "The reason: TLS: certificate not accepted: Hostname mismatch. Check " in out


def test_the_documentation_shows_what_the_operator_reads() -> None:
    assert f"`{CAUSE}`" in DEPLOYMENT.read_text(encoding="utf-8")
