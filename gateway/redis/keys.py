"""The keys in Redis: parts that no value can forge, since each is percent-encoded."""

from urllib.parse import quote

# The second part of every key: values of another layout are not found, rather than misread.
LAYOUT = "v3"


def key(*parts: str | int) -> str:
    """Returns the parts in one key, such as `segments-gateway:v3:abc123:segments:block:250:0`.

    In a part only letters, digits and `_.-~` stay as they are (RFC 3986, 2.3): keys are the same
    where all their parts are, and what is put behind a key after `!` is the key of nothing else.
    """
    return ":".join(quote(str(part), safe="") for part in parts)
