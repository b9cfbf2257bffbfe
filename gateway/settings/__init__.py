"""Every knob of the gateway: its name with its unit, its default, and one sentence.

Settings are environment variables with the prefix `GATEWAY_`. Only app.py and cli.py read them;
they hand plain values down.
"""

from gateway.settings.checked import Settings
from gateway.settings.environment import SettingsError, load_settings, settings_table

__all__ = ["Settings", "SettingsError", "load_settings", "settings_table"]
