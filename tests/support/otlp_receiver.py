"""A collector for tests: takes spans by OTLP over HTTP, as a real one does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from benchmarks.command import PATIENCE_SECONDS

Value = str | int | float | bool


def plain(attributes: Iterator[KeyValue]) -> dict[str, Value]:
    """Returns attributes as a dictionary."""
    found = {}
    for attribute in attributes:
        kind = attribute.value.WhichOneof("value")
        assert kind is not None
        found[attribute.key] = getattr(attribute.value, kind)
    return found


class Received:
    """A span as it was received."""

    def __init__(self, span: Span, resource: dict[str, Value]) -> None:
        self.name = span.name
        self.kind = Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_")
        self.trace_id = span.trace_id.hex()
        self.span_id = span.span_id.hex()
        self.parent_id = span.parent_span_id.hex()
        self.trace_state = span.trace_state
        self.attributes = plain(iter(span.attributes))
        self.is_error = span.status.code == Status.STATUS_CODE_ERROR
        self.links = [(link.trace_id.hex(), link.span_id.hex()) for link in span.links]
        self.events = len(span.events)
        self.seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
        self.began_at = span.start_time_unix_nano / 1e9
        self.resource = resource


class OtlpReceiver:
    """The spans that have come, and `bodies`, the bytes that they came in.

    While `status` is not 200, requests are answered with it, and `refused` counts them.
    """

    def __init__(self) -> None:
        self.spans: list[Received] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.refused = 0
        self.url = ""
        self._changed = threading.Condition()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Takes one request; returns the status of its answer."""
        assert path == "/v1/traces", path
        with self._changed:
            if self.status != 200:
                self.refused += 1
            else:
                self.bodies.append(body)
                self.headers.append(headers)
                for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                    resource = plain(iter(group.resource.attributes))
                    for scope in group.scope_spans:
                        self.spans += [Received(span, resource) for span in scope.spans]
            self._changed.notify_all()
            return self.status

    def trace(self, trace_id: str, count: int) -> list[Received]:
        """Returns the spans of a trace, oldest first, once there are as many."""
        found: list[Received] = []

        def is_whole() -> bool:
            found[:] = [span for span in self.spans if span.trace_id == trace_id]
            return len(found) >= count

        self._wait(is_whole)
        assert len(found) == count, [span.name for span in found]
        return sorted(found, key=lambda span: span.began_at)

    def root_of(self, trace_id: str) -> Received:
        """Returns the server's span of a trace, once it is there."""
        found: list[Received] = []

        def is_there() -> bool:
            found[:] = [s for s in self.spans if s.trace_id == trace_id and s.kind == "SERVER"]
            return bool(found)

        self._wait(is_there)
        return found[0]

    def wait_until_refused(self, times: int) -> None:
        """Waits until as many requests have been refused."""
        self._wait(lambda: self.refused >= times)

    def _wait(self, is_done: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(is_done, PATIENCE_SECONDS):
                raise AssertionError([(span.trace_id, span.name) for span in self.spans])


@contextmanager
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """Yields a receiver that listens on a free port of loopback."""
    receiver = OtlpReceiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(self.path, dict(self.headers), body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
