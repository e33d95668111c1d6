"""Spans of an operation, its units and their requests, one tree, by OpenTelemetry.

Imported only where spans are wanted: it needs `lakebed[observe]`. Attributes follow the semantic
conventions for AWS SDK calls on S3; what they do not know begins with `lakebed.`. Keys are in them:
they are data, not secrets.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider
from opentelemetry.util.types import AttributeValue

from lakebed import __version__
from lakebed.errors import LakebedError
from lakebed.model.operation import Counters, Kind, OperationState, Outcome, Unit
from lakebed.observe.log import carrying, redact
from lakebed.observe.telemetry import OK, Act, Requested, Silent, Telemetry

METHODS = {
    "list_page": "ListObjectsV2",
    "head": "HeadObject",
    "get": "GetObject",
    "put": "PutObject",
    "put_many": "PutObject",
    "copy": "CopyObject",
    "delete": "DeleteObject",
    "tags": "GetObjectTagging",
    "create_upload": "CreateMultipartUpload",
    "upload_part": "UploadPart",
    "copy_part": "UploadPartCopy",
    "complete_upload": "CompleteMultipartUpload",
    "abort_upload": "AbortMultipartUpload",
    "list_parts": "ListParts",
    "list_uploads": "ListMultipartUploads",
    "buckets": "ListBuckets",
    "create_bucket": "CreateBucket",
    "is_versioned": "GetBucketVersioning",
}
"""S3's names of the calls of the contract; a call that is not here goes by its own name."""

Attributes = dict[str, AttributeValue]


class Traces:
    """An observer that hands spans to `provider`. `parent` is what each operation belongs to."""

    def __init__(self, provider: TracerProvider, parent: Context | None = None) -> None:
        self._tracer = provider.get_tracer("lakebed", __version__)
        self._parent = parent

    @contextmanager
    def operation(self, operation_id: str, kind: Kind) -> Iterator[Telemetry]:
        attributes: Attributes = {
            "lakebed.operation.id": operation_id,
            "lakebed.operation.kind": kind,
        }
        with _span(self._tracer, f"lakebed {kind}", self._parent, attributes) as span:
            context = span.get_span_context()
            trace_id = trace.format_trace_id(context.trace_id)
            with carrying(operation_id, trace_id):
                yield _Operation(self._tracer, span, lambda: carrying(operation_id, trace_id))


class _Operation(Silent):
    """Spans of one operation. A span whose thread has no other is a child of the operation's."""

    def __init__(
        self, tracer: Tracer, span: Span, carried: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._tracer, self._span, self._carried = tracer, span, carried
        self._context = trace.set_span_in_context(span)
        self._trace_id = span.get_span_context().trace_id

    @property
    def on(self) -> bool:
        return self._span.is_recording()

    def requested(self, request: Requested) -> None:
        bucket, _, key = request.subject.removeprefix(f"{request.store}:").partition("/")
        method = METHODS.get(request.verb, request.verb)
        attributes: Attributes = {
            "rpc.system": "aws-api",
            "rpc.service": "S3",
            "rpc.method": method,
            "lakebed.store": request.store,
            **_server(request.server),
        }
        if bucket != request.store:
            attributes["aws.s3.bucket"] = bucket
        if key:
            attributes["aws.s3.key"] = key
        if request.sent:
            attributes["http.request.body.size"] = request.sent
        if request.received:
            attributes["http.response.body.size"] = request.received
        if request.status is not None:
            attributes["http.response.status_code"] = request.status
        began = request.ended - int(request.seconds * 1e9)
        span = self._tracer.start_span(
            f"S3.{method}", self._here(), SpanKind.CLIENT, attributes, start_time=began
        )
        if request.code != OK:
            _refused(span, request.code)
        span.end(request.ended)

    def retried(self, store: str, verb: str, code: str) -> None:
        current = trace.get_current_span(self._here())
        current.add_event("retry", {"lakebed.store": store, "error.type": code})

    def acting(self, act: Act) -> Act:
        def traced(unit: Unit) -> list[Outcome]:
            attributes: Attributes = {
                "lakebed.key": unit.items[0].key,
                "lakebed.objects": len(unit.items),
                "lakebed.bytes": sum(item.source.size for item in unit.items if item.source),
            }
            with self._carried(), _span(self._tracer, "unit", self._context, attributes) as span:
                outcomes = act(unit)
                keys = {item.key for item in unit.items}
                # Objects that travel together are settled by whoever has the last of them.
                if own := [outcome for outcome in outcomes if outcome.key in keys]:
                    _tell(span, own)
            return outcomes

        return traced if self.on else act

    def planned(self, counters: Counters, seconds: float) -> None:
        attributes: Attributes = {
            "lakebed.listed": counters.listed,
            "lakebed.planned": counters.planned,
        }
        self._past("plan batch", seconds, attributes)

    def settled(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        self._past("ledger write", seconds, {"lakebed.objects": len(outcomes)})

    def ended(self, state: OperationState, error: LakebedError | None) -> None:
        self._span.set_attribute("lakebed.operation.state", state)
        if error is not None:
            _refused(self._span, error.code, str(error))

    def _past(self, name: str, seconds: float, attributes: Attributes) -> None:
        """A span of what took so long and ended just now."""
        ended = time.time_ns()
        began = ended - int(seconds * 1e9)
        self._tracer.start_span(name, self._context, attributes=attributes, start_time=began).end(
            ended
        )

    def _here(self) -> Context:
        """What a span of this thread belongs to: its unit, or else the operation."""
        current = trace.get_current_span()
        ours = current.get_span_context().trace_id == self._trace_id
        return trace.set_span_in_context(current) if ours else self._context


@contextmanager
def _span(
    tracer: Tracer, name: str, context: Context | None, attributes: Attributes
) -> Iterator[Span]:
    """The current span of the scope. What leaves the scope is recorded without its frames."""
    with tracer.start_as_current_span(
        name, context, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            code = error.code if isinstance(error, LakebedError) else type(error).__name__
            _refused(span, code, str(error))
            raise


def _tell(span: Span, outcomes: Sequence[Outcome]) -> None:
    first = outcomes[0]
    span.set_attribute("lakebed.state", first.state)
    span.set_attribute("lakebed.attempts", first.attempts)
    for name in ("lane", "proof"):
        value = getattr(first, name)
        if value is not None:
            span.set_attribute(f"lakebed.{name}", value)
    refused = next((outcome for outcome in outcomes if outcome.error), None)
    if refused is not None and refused.error is not None:
        _refused(span, refused.error, refused.message or "")


def _refused(span: Span, code: str, message: str = "") -> None:
    span.set_attribute("error.type", code)
    span.set_status(Status(StatusCode.ERROR, redact(message) or None))


def _server(netloc: str) -> Attributes:
    host, colon, port = netloc.rpartition(":")
    if colon and port.isdecimal():
        return {"server.address": host.strip("[]"), "server.port": int(port)}
    return {"server.address": netloc.strip("[]")}
