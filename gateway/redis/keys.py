"""The keys in Redis. Each part is percent-encoded, so that no value can forge another key.

<store> = <prefix>:<layout>:<store hash>, and <collection> is a name such as `segments`.

<store>:<collection>:block:<size>:<index>  one page: MessagePack, signed with its read time
<store>:<collection>:id:<id>               one row in the same form; an empty value if it is absent
<store>:customers:email:<e-mail>           the id of the customer in the same form, or its absence
<store>:document:<digits>                  a document that clients send by hash, in the place of its
                                           SHA-256's first 3 digits
<store>:invalidated                        sorted set: the last write to each collection, signed
<key>!lock                                 the lock of a block while one process fills it
<prefix>:check                             written by `gateway check`

A value that no process of the store has signed for its key is a miss (`redis.signer`), as is one
that cannot be decoded (`data_source.codec`). A document is one if its hash is not the one that is
asked for (`schema.persisted_documents`). Locks are not signed.
"""

from urllib.parse import quote

# The second part of every key of a store: a change of it hides values of another layout.
LAYOUT = "v4"


def key(*parts: str | int) -> str:
    """Returns the parts in one key, such as `segments-gateway:v4:abc123:segments:block:250:0`.

    All characters but letters, digits and `_.-~` are encoded (RFC 3986, 2.3). So two keys are equal
    only if all their parts are, and a key with a suffix such as `!lock` equals no other key.
    """
    return ":".join(quote(str(part), safe="") for part in parts)
