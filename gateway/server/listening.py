"""The socket that a server listens on."""

import errno
import socket

BACKLOG = 2048


class CannotListen(Exception):
    """The address cannot be used; the message says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Returns a listening socket; port 0 is any free port, `::` is IPv6 and IPv4.

    A client that connects before a server is up waits for it. Raises `CannotListen` if the address
    is in use, not this machine's, or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    is_dual = family is socket.AF_INET6 and socket.has_dualstack_ipv6()
    try:
        host.encode("idna")  # create_server would leave its socket open
        return socket.create_server(
            (host, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_dual
        )
    except UnicodeError as error:
        raise CannotListen(f"cannot listen on {host!r}: it is no name of a host.") from error
    except OSError as error:
        # Python appends the address, which the sentence names already.
        reason = (error.strerror or str(error)).partition(" (while")[0].lower()
        advice = (
            "Stop what listens there, or choose another --host or --port."
            if error.errno == errno.EADDRINUSE
            else "--host has to be an address of this machine, --port one that its user may take: "
            "those below 1024 are often kept for the system."
        )
        raise CannotListen(f"cannot listen on {address(host, port)}: {reason}. {advice}") from error


def address(host: str, port: int) -> str:
    """Returns the URL of a host and port."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def address_of(listener: socket.socket) -> str:
    """Returns the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return address(host, port)
