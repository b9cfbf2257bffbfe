"""Any text in the place of credentials or of an address names a client or is refused."""

import asyncio
import tempfile
from ipaddress import ip_network
from pathlib import Path

import hypothesis.strategies as st
from clock import Clock
from hypothesis import given
from issuer import AUDIENCE, ISSUER, Issuer
from starlette.requests import Request

from gateway.api_keys import create_api_key
from gateway.identity import AccessScope
from gateway.web.authentication import Authentication, KeyFile, Peers
from gateway.web.authentication.signing_keys import SigningKeys
from gateway.web.authentication.tokens import Tokens
from gateway.web.request_error import RequestError

CLOCK = Clock()
ISSUED = Issuer(CLOCK)
PARTS = st.one_of(
    st.sampled_from(ISSUED.token().split(".")),
    st.text("ABCDEFabcdef0123456789-_=", max_size=40),
    st.text(max_size=40),
)
CREDENTIALS = st.one_of(
    st.text(max_size=100),
    st.lists(PARTS, max_size=6).map(lambda parts: "Bearer " + ".".join(parts)),
    st.text(max_size=60).map(lambda text: f"Bearer gwk_{text}"),
)


@given(CREDENTIALS)
def test_any_credentials_are_taken_or_refused_with_401(text: str) -> None:
    async def status() -> int:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "keys.json"
            create_api_key(file, "web", [AccessScope.SEGMENTS_READ])
            keys = SigningKeys(ISSUED.fetch, ["RS256"], CLOCK)
            authentication = Authentication(
                CLOCK,
                peers=Peers(),
                anonymous=None,
                keys=KeyFile(file, CLOCK),
                tokens=Tokens(
                    keys, issuer=ISSUER, audience=AUDIENCE, algorithms=["RS256"], now=CLOCK
                ),
            )
            # Starlette decodes headers as Latin-1.
            header = text.encode("utf-8", "surrogatepass").decode("latin-1").encode("latin-1")
            scope = {"type": "http", "headers": [(b"authorization", header)], "client": None}
            try:
                client = await authentication(Request(scope))
            except RequestError as error:
                return error.status
            assert client.name == "token:alice"
            return 200

    assert asyncio.run(status()) in (200, 401)


@given(st.lists(st.one_of(st.text(max_size=60), st.ip_addresses().map(str)), max_size=20))
def test_any_forwarded_for_names_an_address(entries: list[str]) -> None:
    peers = Peers([ip_network("10.0.0.0/8"), ip_network("::/1")])
    header = ",".join(entries).encode("utf-8", "surrogatepass")
    scope = {"type": "http", "headers": [(b"x-forwarded-for", header)], "client": ("10.0.0.1", 1)}
    name = peers.name_of(scope)
    assert name.removesuffix("/64") == str(ip_network(name, strict=False).network_address)
