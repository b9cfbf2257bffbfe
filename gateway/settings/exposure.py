"""Refuses to start a gateway that would serve strangers."""

from gateway.settings.environment import SettingsError
from gateway.settings.settings import Settings
from gateway.settings.urls import is_loopback

WAYS = (
    "Set GATEWAY_API_KEYS_FILE (`gateway keys create` makes it) or GATEWAY_JWT_JWKS_URL; or, for a "
    "gateway that only its own router reaches, GATEWAY_ALLOW_ANONYMOUS=read."
)


def check_exposure(settings: Settings, address: str | None = None) -> None:
    """Raises `SettingsError` if nothing says who may ask a gateway that others reach.

    Others reach one that listens on an `address` other than loopback. One with a real store has
    to say it on loopback too, where any page of a browser and any user of the machine may ask.
    """
    is_public = address is not None and not is_loopback(address)
    if settings.says_who_clients_are or not (is_public or settings.reads_real_store):
        return
    what = f"Other machines reach {address}" if is_public else "A real store is set"
    raise SettingsError(f"{what}, and nothing says who may ask. {WAYS}")


def check_control(address: str) -> None:
    """Raises `SettingsError` if others reach an emulator that anybody can control."""
    if not is_loopback(address):
        raise SettingsError(
            f"Other machines reach {address}, and with --control they could change the emulator: "
            "leave out --control, or listen on 127.0.0.1."
        )
