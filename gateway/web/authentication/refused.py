"""The reason for which credentials are refused."""


class CredentialsRefused(Exception):
    """Credentials that name no client; the message is a fixed sentence for client and log."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
