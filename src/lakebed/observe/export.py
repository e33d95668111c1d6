"""How spans leave a process: OTLP over HTTP, in batches, from a thread of their own.

The environment variables of OpenTelemetry's specification hold (`OTEL_EXPORTER_OTLP_…`,
`OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`): the SDK
reads them.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from lakebed import __version__
from lakebed.observe.traces import Traces

FLUSH = 2.0
"""Seconds that the last spans have to leave: below what a signal gives the whole process."""


@contextmanager
def provided(
    endpoint: str | None, exporter: SpanExporter | None = None
) -> Iterator[TracerProvider]:
    """What makes spans that are exported for the scope, and for at most `FLUSH` seconds beyond it.

    `endpoint` is the base URL of a collector; None: what the environment says.
    """
    found = exporter or OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None)
    ours = Resource({"service.name": "lakebed", "service.version": __version__})
    provider = TracerProvider(
        resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(found))
    try:
        yield provider
    finally:
        # The SDK's own flush knows no deadline. A daemon: what is still stuck in a connection
        # then, the end of the process ends.
        closing = threading.Thread(target=provider.shutdown, name="lakebed-spans", daemon=True)
        closing.start()
        closing.join(FLUSH)
        if closing.is_alive():
            found.shutdown()
            closing.join(FLUSH / 4)


@contextmanager
def exported(
    environ: Mapping[str, str], endpoint: str | None, exporter: SpanExporter | None = None
) -> Iterator[Traces]:
    """The observer whose spans are exported so. The operations belong to the trace of
    `TRACEPARENT`, where that is set."""
    carrier = {name.lower(): environ.get(name, "") for name in ("TRACEPARENT", "TRACESTATE")}
    with provided(endpoint, exporter) as provider:
        yield Traces(provider, TraceContextTextMapPropagator().extract(carrier))
