"""Files of certificates and keys."""

import ssl
from pathlib import Path


def checked_file(path: Path | None) -> Path | None:
    """Returns the path; raises `ValueError` where no file can be read there."""
    if path is None:
        return None
    try:
        with path.open("rb"):
            return path
    except OSError:
        raise ValueError("there is no file that can be read") from None


def holds_certificates(path: Path) -> bool:
    """Tells whether a file holds certificates to check others with, as PEM."""
    try:
        context = ssl.create_default_context(cafile=path)
    except (OSError, ValueError):
        return False
    return context.cert_store_stats()["x509"] > 0
