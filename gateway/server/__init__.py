"""Serves an ASGI application on a socket, in one process or several, until a clean stop.

listening  the listening socket, and errors of its address
signals    the stage that each signal leads to
protocol   HTTP/1.1: the limits and checks that uvicorn lacks
serving    one process: uvicorn, with a drain before its stop
workers    several processes that serve the same socket
"""

from gateway.server.listening import CannotListen, address, listen
from gateway.server.serving import ShutdownPolicy, serve
from gateway.server.workers import serve_with_workers

__all__ = ["CannotListen", "ShutdownPolicy", "address", "listen", "serve", "serve_with_workers"]
