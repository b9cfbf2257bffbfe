"""The reason for which credentials are refused, or cannot be checked."""

# Between two fetches of the keys that sign tokens, whatever tokens ask for.
RETRY_SECONDS = 10.0


class CredentialsRefused(Exception):
    """Credentials that name no client; the message is a fixed sentence for client and log."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class KeysUnavailable(Exception):
    """The keys that sign tokens cannot be fetched; the message is the reason, for the operator."""
