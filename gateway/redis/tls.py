"""The TLS context of a client, for Redis and for the upstream."""

import ssl
from pathlib import Path


def tls_context(
    ca_file: Path | None, certificate_file: Path | None = None, key_file: Path | None = None
) -> ssl.SSLContext:
    """Returns the TLS context of a client.

    Raises `OSError` if a file cannot be read or is not a certificate or key.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if certificate_file is not None:
        # Otherwise OpenSSL asks for the password of an encrypted key on the terminal.
        context.load_cert_chain(certificate_file, key_file, password=lambda: "")
    return context
