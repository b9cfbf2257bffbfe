"""The settings of the gateway: environment variables with the prefix `GATEWAY_`.

Only `app` and `cli` read them; they hand plain values down.
"""

from gateway.settings.environment import SettingsError, load_settings, settings_table
from gateway.settings.settings import Settings

__all__ = ["Settings", "SettingsError", "load_settings", "settings_table"]
