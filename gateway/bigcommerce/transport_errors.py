"""Descriptions of unanswered requests for the operator, without any text sent or received."""

from gateway.socket_errors import describe_socket_error

# Descriptions by the beginning of httpx's message, else by the error's type. Other messages are not
# logged: they may contain received bytes, and an upstream may echo the token.
KNOWN_MESSAGES = {
    "Server disconnected": "connection closed before the answer",
    "peer closed connection": "connection closed amid the answer",
}
ERROR_NAMES = {
    "RemoteProtocolError": "the answer is no HTTP",
    "ReadError": "connection broken while its answer was read",
    "WriteError": "connection broken while the request was sent",
    "CloseError": "connection broken at its end",
}


def describe_transport_error(
    error: BaseException, ca_setting: str = "GATEWAY_UPSTREAM_CA_FILE"
) -> str:
    """Returns the innermost known cause of an error of httpx.

    For a certificate of an unknown issuer, the text names the setting that fixes this.
    """
    text = describe_socket_error(error, ca_setting=ca_setting)
    if text is not None:
        return text
    for beginning, text in KNOWN_MESSAGES.items():
        if str(error).startswith(beginning):
            return text
    name = type(error).__name__
    return ERROR_NAMES.get(name, name)
