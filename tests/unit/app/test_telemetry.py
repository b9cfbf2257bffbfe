"""When traces are on, and what the operator reads where they cannot be sent."""

import pytest

from gateway.app.telemetry import has_traces, why_no_traces

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "is_on"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "shop"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_variables_that_turn_traces_on(environment: dict[str, str], is_on: bool) -> None:
    assert has_traces(environment) is is_on


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({}, None),
        ({"OTEL_TRACES_EXPORTER": "otlp,console"}, None),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, None),
        (
            {
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            },
            None,
        ),
        (
            {"OTEL_TRACES_EXPORTER": "zipkin"},
            "OTEL_TRACES_EXPORTER has to be otlp, console or none.",
        ),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is another protocol than http/protobuf, the one that the "
            "gateway speaks: set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf, and the "
            "endpoint that takes it, on port 4318 as a rule.",
        ),
    ],
)
def test_what_cannot_be_sent_is_a_sentence(environment: dict[str, str], why: str | None) -> None:
    assert why_no_traces(environment) == why


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.app.telemetry.find_spec", lambda _: None)
    assert why_no_traces(ENDPOINT) == (
        "OpenTelemetry is not installed: pip install --require-hashes -r requirements/otel.txt"
    )
