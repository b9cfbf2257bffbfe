"""The settings in one line, for the log."""

from gateway.settings.settings import Settings


def upstream_name(settings: Settings) -> str:
    """Returns the upstream's name in the log."""
    if settings.uses_emulator:
        return f"the emulator inside this process ({settings.emulator_segments} segments)"
    return f"store {settings.store_hash} at {settings.upstream_url}"


def summary(settings: Settings) -> str:
    """Returns the first line of the log: upstream, cache and authentication."""
    redis = "" if settings.redis_url is None else " and Redis"
    cache = (
        f"memory{redis}, {settings.cache_max_bytes // 1024**2} MiB, "
        f"fresh for {settings.cache_ttl_seconds:g} s"
        if settings.cache_ttl_seconds
        else "off"
    )
    hint = (
        "; set GATEWAY_STORE_HASH and GATEWAY_ACCESS_TOKEN for a real store"
        if settings.uses_emulator
        else ""
    )
    return (
        f"upstream: {upstream_name(settings)}; cache: {cache}; "
        f"authentication of clients: {_authentication(settings)}{hint}"
    )


def _authentication(settings: Settings) -> str:
    ways = ["API keys"] if settings.api_keys_file is not None else []
    if settings.jwt_jwks_url is not None:
        ways.append(f"tokens of {settings.jwt_issuer}")
    known = " and ".join(ways) or "none"
    if settings.allow_anonymous == "none":
        return known
    return f"{known}, and without it they may {settings.allow_anonymous}"
