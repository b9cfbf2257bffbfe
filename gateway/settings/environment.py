"""Settings out of environment variables, and mistakes in sentences that name the variable."""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from pydantic import SecretStr, ValidationError

from gateway.settings.knobs import PREFIX, Settings

# Kubernetes gives these to every container in the namespace of a service called "gateway".
SERVICE_LINK = re.compile(r"GATEWAY_(SERVICE_(HOST|PORT\w*)|PORT\w*)")


class SettingsError(Exception):
    """The environment does not make a configuration; the message says which variable to mend."""


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Returns the settings that the environment describes.

    Raises `SettingsError` with one line for each variable to mend; no line shows a value.
    """
    names = os.environ if environment is None else environment
    unknown = _unknown_variables(names)
    if unknown:
        raise SettingsError("\n".join(unknown))
    values = {
        field: names[variable(field)]
        for field in Settings.model_fields
        if names.get(variable(field), "") != ""  # an empty variable counts as not set
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error))) from None


def _unknown_variables(names: Iterable[str]) -> list[str]:
    known = [variable(field) for field in Settings.model_fields]
    sentences = []
    for name in sorted(names):
        is_ours = name.upper().startswith(PREFIX) and not SERVICE_LINK.fullmatch(name)
        if is_ours and name not in known:
            close = get_close_matches(name.upper(), known, n=1)
            hint = f"Did you mean {close[0]}?" if close else "`gateway settings` lists them all."
            sentences.append(f"{name} is no setting of the gateway. {hint}")
    return sentences


def _sentences(error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        text = problem["msg"].removeprefix("Value error, ")
        if problem["loc"]:
            yield f"{variable(str(problem['loc'][0]))}: {text[0].lower()}{text[1:]}."
        else:
            yield text


def variable(field: str) -> str:
    """Returns the environment variable of a field of `Settings`."""
    return PREFIX + field.upper()


def settings_table(settings: Settings) -> str:
    """Returns a line for each setting: variable, value and sentence; secrets are masked."""
    rows = [
        (variable(field), _shown(getattr(settings, field)), knob.description or "")
        for field, knob in Settings.model_fields.items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{n:{widths[0]}}  {v:{widths[1]}}  {text}" for n, v, text in rows)


def _shown(value: object) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
