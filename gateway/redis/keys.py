"""The keys in Redis: parts that no value can forge, since each is percent-encoded."""

from urllib.parse import quote

# The second part of every key: values of another layout are not found, rather than misread.
LAYOUT = "v3"

# For scripts, in Lua: calls a command; under a key of another type there is `nothing`.
CALL = """
local function call(nothing, ...)
  local answer = redis.pcall(...)
  local error = type(answer) == 'table' and answer.err
  if not error then return answer end
  if string.find(error, 'WRONGTYPE') then return nothing end
  return redis.call(...)
end
"""


def key(*parts: str | int) -> str:
    """Returns the parts in one key, such as `segments-gateway:v3:abc123:segments:block:250:0`.

    In a part only letters, digits and `_.-~` stay as they are (RFC 3986, 2.3): keys are the same
    where all their parts are, and what is put behind a key after `!` is the key of nothing else.
    """
    return ":".join(quote(str(part), safe="") for part in parts)


def lease_of(key: str) -> str:
    """Returns the key of the lease of what lies under a key."""
    return f"{key}!lease"
