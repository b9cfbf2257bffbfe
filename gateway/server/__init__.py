"""Serves an ASGI application on a socket, in one process or several, until a clean stop.

listening    the listening socket, and errors of its address
signals      the stage that each signal leads to
protocol     HTTP/1.1: one connection, with the limits and checks that uvicorn lacks
requests     what the parser finds, as requests that run
cycle        one request and its answer, head and body in one write
heads        the checks of a request's head
pipelining   requests that a client sends ahead
timers       timers that cost little to start and to stop
refusals     the answer to what is refused before the application sees it
connections  what all connections of a process share: their number, bytes in waiting
open_files   the system's limit of open files
serving      one process: uvicorn, with a drain before its stop
worker       one of several processes: its heartbeat, and the pipe to its supervisor
workers      several processes that serve the same socket
"""

from gateway.server.listening import CannotListen, address, listen
from gateway.server.serving import ShutdownPolicy, serve, serve_in_loop
from gateway.server.workers import serve_with_workers

__all__ = [
    "CannotListen",
    "ShutdownPolicy",
    "address",
    "listen",
    "serve",
    "serve_in_loop",
    "serve_with_workers",
]
