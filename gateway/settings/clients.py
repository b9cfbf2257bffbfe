"""The settings that say who clients are: their forms, and what belongs together."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import AfterValidator, FilePath

from gateway.api_keys import ApiKeysError, read_api_keys

if TYPE_CHECKING:
    from gateway.settings.settings import Settings

Network: TypeAlias = IPv4Network | IPv6Network

# An issuer signs with a private key. With HS256 a client could sign with the public one, which it
# can read too (RFC 8725, 3.1 and 3.2).
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)


def _check_api_keys(file: Path) -> Path:
    try:
        read_api_keys(file)
    except ApiKeysError as error:
        raise ValueError(str(error)) from None
    return file


def _check_algorithms(text: str) -> str:
    if not set(parts(text)) or set(parts(text)) - {*ALGORITHMS}:
        raise ValueError(f"It has to be one or more of {', '.join(ALGORITHMS)}")
    return text


def _check_proxies(text: str) -> str:
    try:
        networks = networks_of(text)
    except ValueError:
        networks = ()
    if not networks or any(network.prefixlen == 0 for network in networks):
        raise ValueError(
            "It has to be addresses or networks such as 10.0.0.0/8, separated by commas, and not "
            "every address"
        )
    return text


ApiKeysFile: TypeAlias = Annotated[FilePath, AfterValidator(_check_api_keys)]
Algorithms: TypeAlias = Annotated[str, AfterValidator(_check_algorithms)]
Proxies: TypeAlias = Annotated[str, AfterValidator(_check_proxies)]


def parts(text: str) -> tuple[str, ...]:
    """Returns the parts of a list that commas separate."""
    return tuple(part for piece in text.split(",") if (part := piece.strip()))


def networks_of(text: str | None) -> tuple[Network, ...]:
    """Returns the networks of such a list; raises `ValueError`, as for 10.0.0.1/8."""
    return tuple(ip_network(part) for part in parts(text or ""))


def check_tokens(settings: "Settings") -> None:
    """Raises `ValueError` for half a configuration of tokens."""
    needed = {"GATEWAY_JWT_ISSUER": settings.jwt_issuer}
    needed["GATEWAY_JWT_AUDIENCE"] = settings.jwt_audience
    if settings.jwt_jwks_url is None:
        has_effect = {name: value is not None for name, value in needed.items()}
        has_effect["GATEWAY_JWT_ALGORITHMS"] = "jwt_algorithms" in settings.model_fields_set
        for name, is_set in has_effect.items():
            if is_set:
                raise ValueError(f"{name} is set without GATEWAY_JWT_JWKS_URL: set both.")
        return
    missing = " and ".join(name for name, value in needed.items() if value is None)
    if missing:
        raise ValueError(f"GATEWAY_JWT_JWKS_URL is set without {missing}: set all three.")
