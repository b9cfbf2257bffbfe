"""The settings of the gateway: environment variables with the prefix `GATEWAY_`.

Only `app` and `cli` read them; they hand plain values down.
"""

from gateway.settings.clients import networks_of, parts
from gateway.settings.environment import SettingsError, load_settings, settings_table
from gateway.settings.exposure import check_control, check_exposure
from gateway.settings.settings import Settings
from gateway.settings.summary import summary, upstream_name

__all__ = [
    "Settings",
    "SettingsError",
    "check_control",
    "check_exposure",
    "load_settings",
    "networks_of",
    "parts",
    "settings_table",
    "summary",
    "upstream_name",
]
