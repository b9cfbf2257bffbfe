"""Serves an ASGI application on a socket, in one process or several, until a clean stop.

listening   the socket, and why an address cannot be had
signals     what a signal means at each stage
serving     one process: uvicorn, with a drain before its stop
worker      one of several processes, seen from both sides
pauses      how long to wait where one worker after the other ends at its start
supervisor  replaces workers that die or hang, and all of them in turn
workers     several processes that serve the same socket
"""

from gateway.server.listening import CannotListen, address, listen
from gateway.server.serving import Manners, serve
from gateway.server.workers import serve_with_workers

__all__ = ["CannotListen", "Manners", "address", "listen", "serve", "serve_with_workers"]
