"""Reads the settings from environment variables; an error names the variable to fix."""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import Secret, SecretStr, ValidationError

from gateway.settings.settings import Settings

PREFIX = "GATEWAY_"
# Kubernetes sets these in every container in the namespace of a service whose name begins with
# "gateway". `GATEWAY_PORT` is Kubernetes' only if its value is an address (`LINKED_ADDRESS`).
SERVICE_LINK = re.compile(
    r"GATEWAY(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?"
    r"|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
SERVICE_PORT = re.compile(r"GATEWAY(_[A-Z0-9_]+)?_PORT")
LINKED_ADDRESS = re.compile(r"(tcp|udp|sctp)://")
# Options of the command line that are easily mistaken for settings.
OPTIONS = {
    "GATEWAY_HOST": "--host",
    "GATEWAY_PORT": "--port",
    "GATEWAY_WORKERS": "--workers",
}
BOUNDS = {"gt": "more than", "ge": "at least", "le": "at most"}
# What a field with a pattern takes.
PATTERNS = {
    "store_hash": "1 to 64 letters, digits, - or _",
    "upstream_plain_http_host": "a host name or an IP address alone, without scheme and port",
    "redis_plain_tcp_host": "a host name or an IP address alone, without scheme and port",
    "redis_key_prefix": "1 to 64 letters, digits, -, _ or .",
    "jwt_issuer": "one line of text without control characters",
    "jwt_audience": "one line of text without control characters",
    "subgraph_contact_name": "one line of text without control characters",
    "subgraph_contact_url": "a URL that begins with https://, http:// or mailto:",
}
# Examples of a field that is a URL.
URLS = {
    "upstream_url": "https://api.bigcommerce.com",
    "redis_url": "rediss://redis.example.com:6379",
    "jwt_jwks_url": "https://id.example.com/.well-known/jwks.json",
}
# What makes the file of a field.
FILES = {"api_keys_file": ": `gateway keys create` makes it"}
# Fields of secrets, each of which can be read from the file that the field with `_file` names.
SECRETS = ("access_token", "redis_url")
MAXIMUM_SECRET_BYTES = 16 * 1024
# Names that are less similar have little more than the prefix in common.
CLOSE = 0.8


class SettingsError(Exception):
    """The environment is not a valid configuration; the message names each variable to fix."""


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Returns the settings of the environment.

    Raises `SettingsError` with one line for each variable to fix. The only value in a line is what
    the upstream's URL was read as, if that differs from the text and has no credentials.
    """
    variables = os.environ if environment is None else environment
    mistakes = _unknown_variables(variables)
    values = {
        field: variables[variable(field)]
        for field in Settings.model_fields
        if variables.get(variable(field), "") != ""  # an empty variable counts as not set
    }
    from_files: dict[str, str] = {}
    for field in SECRETS:
        if _file(field) in values:
            try:
                from_files[field] = _read_secret(field, values)
            except SettingsError as error:
                mistakes.append(str(error))
                del values[_file(field)]
                values.pop(field, None)
    try:
        settings = Settings.model_validate(values | from_files)
    except ValidationError as error:
        # What is set without its counterpart may have it under a name that is misspelt.
        mistakes += _sentences(error, from_files, with_contradictions=not mistakes)
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return settings


def _file(field: str) -> str:
    return f"{field}_file"


def _read_secret(field: str, values: Mapping[str, str]) -> str:
    """Returns the secret of a file without the line ending at its end; raises `SettingsError`."""
    name = variable(_file(field))
    if field in values:
        raise SettingsError(f"{variable(field)} and {name} are both set: set one.")
    try:
        with Path(values[_file(field)]).open("rb") as file:
            content = file.read(MAXIMUM_SECRET_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SettingsError(f"{name}: The file cannot be read: {reason}.") from None
    if len(content) > MAXIMUM_SECRET_BYTES:
        raise SettingsError(f"{name}: The file is larger than {MAXIMUM_SECRET_BYTES} bytes.")
    try:
        secret = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: The file has to be text in UTF-8.") from None
    if not secret.strip():
        raise SettingsError(f"{name}: The file is empty.")
    return secret


def _unknown_variables(variables: Mapping[str, str]) -> list[str]:
    known = [variable(field) for field in Settings.model_fields]
    return [
        f"{name} is no setting of the gateway. {_hint(name.upper(), known)}"
        for name in sorted(variables)
        if name.upper().startswith(PREFIX)
        and name not in known
        and not _is_set_by_kubernetes(name, variables[name])
    ]


def _is_set_by_kubernetes(name: str, value: str) -> bool:
    is_port = SERVICE_PORT.fullmatch(name) and LINKED_ADDRESS.match(value)
    return bool(is_port or SERVICE_LINK.fullmatch(name))


def _hint(name: str, known: list[str]) -> str:
    if name in OPTIONS:
        return f"Use `gateway serve {OPTIONS[name]}`."
    close = get_close_matches(name, known, n=1, cutoff=CLOSE)
    return f"Did you mean {close[0]}?" if close else "`gateway settings` lists them all."


def _sentences(
    error: ValidationError, from_files: Collection[str], *, with_contradictions: bool
) -> Iterable[str]:
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        text = problem["msg"].removeprefix("Value error, ")
        if problem["loc"]:
            field = str(problem["loc"][0])
            source = _file(field) if field in from_files else field
            yield f"{variable(source)}: {_bounds(field) or _words(problem['type'], field, text)}."
        elif with_contradictions:
            yield text


def _words(kind: str, field: str, text: str) -> str:
    """What a field takes, in place of pydantic's own text for this kind of mistake."""
    match kind:
        case "string_pattern_mismatch":
            return f"It has to be {PATTERNS[field]}"
        case "url_parsing":
            reason = text.partition(", ")[2]
            return f"It has to be a valid URL, such as {URLS[field]} ({reason})"
        case "bool_parsing":
            return "It has to be true or false"
        case "path_not_file":
            return f"There is no file with this path{FILES.get(field, '')}"
        case "literal_error":
            return text.replace("Input should be", "It has to be")
    return text


def _bounds(field: str) -> str | None:
    """What a field that is a number takes; pydantic names one bound, and for `nan` a wrong one."""
    setting = Settings.model_fields[field]
    if setting.annotation not in (int, float):
        return None
    bounds = [
        f"{words} {getattr(bound, name)}"
        for bound in setting.metadata
        for name, words in BOUNDS.items()
        if hasattr(bound, name)
    ]
    number = "a whole number" if setting.annotation is int else "a number"
    return f"It has to be {number}, {' and '.join(bounds)}"


def variable(field: str) -> str:
    """Returns the environment variable of a field of `Settings`."""
    return PREFIX + field.upper()


def settings_table(settings: Settings) -> str:
    """Returns a line for each setting: variable, value and sentence; secrets are masked."""
    rows = [
        (variable(field), _shown(getattr(settings, field)), setting.description or "")
        for field, setting in Settings.model_fields.items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{n:{widths[0]}}  {v:{widths[1]}}  {text}" for n, v, text in rows)


def _shown(value: object) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, SecretStr | Secret):
        return "********"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
