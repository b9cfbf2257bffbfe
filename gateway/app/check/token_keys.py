"""The check of the keys that sign the tokens of clients: one request to their issuer."""

from typing import Final

from gateway.app.authentication import fetch_from
from gateway.app.check.results import CheckResult, problem, skipped, well
from gateway.settings import Settings, parts
from gateway.web.authentication import KeysUnavailable

NAME: Final = "jwks"


async def check_token_keys(settings: Settings) -> CheckResult:
    """Fetches the keys, and returns the result."""
    if settings.jwt_jwks_url is None:
        return skipped(NAME)
    # Here, because only a gateway that takes tokens pays for the import of PyJWT.
    from gateway.web.authentication.signing_keys import read_keys

    algorithms = parts(settings.jwt_algorithms)
    try:
        keys = read_keys(await fetch_from(str(settings.jwt_jwks_url))(), algorithms)
    except KeysUnavailable as error:
        return problem(
            NAME,
            f"The keys that sign tokens cannot be fetched: {error}.",
            "Until they can, clients with tokens get an error. Check GATEWAY_JWT_JWKS_URL, and "
            "whether this machine reaches it.",
        )
    host = settings.jwt_jwks_url.host
    number = len({id(key.jwk) if key.kid is None else key.kid for key in keys})
    noun = "key" if number == 1 else "keys"
    return well(NAME, f"{host} has {number} {noun} for {', '.join(algorithms)}.")
