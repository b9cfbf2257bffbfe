"""The keys in Redis. Each part is percent-encoded, so that no value can forge another key.

<store> = <prefix>:<layout>:<store hash>, and <collection> is a name such as `segments`.

<store>:<collection>:block:<size>:<index>  one page: read time, CRC-32, MessagePack
<store>:<collection>:id:<uuid>             one row in the same form; an empty value if it is absent
<store>:document:<digits>                  a document that clients send by hash, in the place of its
                                           SHA-256's first 3 digits
<store>:invalidated                        sorted set: collections by the time of their last write
<key>!lock                                 the lock of a block while one process fills it
<prefix>:check                             written by `gateway check`

A value that is damaged or does not belong to its key is a miss (`cache.shared_store`,
`data_source.codec`, `schema.persisted_documents`).
"""

from urllib.parse import quote

# The second part of every key of a store: a change of it hides values of another layout.
LAYOUT = "v3"


def key(*parts: str | int) -> str:
    """Returns the parts in one key, such as `segments-gateway:v3:abc123:segments:block:250:0`.

    All characters but letters, digits and `_.-~` are encoded (RFC 3986, 2.3). So two keys are equal
    only if all their parts are, and a key with a suffix such as `!lock` equals no other key.
    """
    return ":".join(quote(str(part), safe="") for part in parts)
