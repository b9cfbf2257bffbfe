"""Why there is no answer, in words for the operator: nothing of what was sent, or of what came."""

from gateway.redis.causes import system_cause_in_words

# What libraries say of the upstream, and what is told. Other texts may repeat bytes that came: an
# upstream that echoes would echo the token.
SAYINGS = {
    "Server disconnected": "connection closed before the answer",
    "peer closed connection": "connection closed amid the answer",
}
KINDS = {
    "RemoteProtocolError": "the answer is no HTTP",
    "ReadError": "connection broken while its answer was read",
    "WriteError": "connection broken while the request was sent",
    "CloseError": "connection broken at its end",
}


def cause_in_words(error: BaseException) -> str:
    """Returns what went wrong with a connection, however deeply the reason is wrapped."""
    known = system_cause_in_words(error, ca_setting="GATEWAY_UPSTREAM_CA_FILE")
    if known is not None:
        return known
    kind = type(error).__name__
    told = (words for start, words in SAYINGS.items() if str(error).startswith(start))
    return next(told, KINDS.get(kind, kind))
