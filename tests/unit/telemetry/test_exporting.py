"""What the library of traces writes into the log."""

import pytest

from gateway.instrumentation import OperationRecord
from gateway.telemetry.exporting import create_provider, flush
from gateway.telemetry.sampling import TraceIds
from gateway.telemetry.traces import Tracing
from gateway.trace_context import trace_headers


def test_neither_a_secret_nor_text_of_a_client_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization: Bearer secret")
    provider = create_provider(ids := TraceIds())
    tracing = Tracing(provider, ids, documents=False)
    many = ",".join(f"a{number}=1" for number in range(33))
    for state in ("text of a client", "a=\x1b", "a=1,a=2", many, "\xe9=1"):
        token = trace_headers.set((b"00-%032x-%016x-00" % (1, 1), state.encode("latin-1")))
        with tracing.operation(OperationRecord("POST")):
            pass
        trace_headers.reset(token)
    flush(provider, 1.0)
    assert caplog.messages == [
        "OTEL_EXPORTER_OTLP_HEADERS, or that of traces, has a header that is left out: write "
        "name=value, with %20 for a space, and commas between headers"
    ]
