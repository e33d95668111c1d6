"""Every metric, named once. Prometheus conventions: base units, `_total` for what only grows.

A label takes few values: those of an enumeration, the names of configured stores, codes of errors.
Never a bucket, a key or an id.
"""

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """Each is one of its own: whoever counts for each object finds it by identity, at once.
    `buckets` are the upper bounds of a histogram, in seconds."""

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""From a store in the same rack to the stall timeout."""
_OBJECT = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)
_LEDGER = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_OPERATION_WAIT = (0.05, 0.1, 0.3, 1.0, 3.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
_OPERATION = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0)


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Type.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Type.GAUGE, meaning, labels)


def _histogram(name: str, buckets: tuple[float, ...], meaning: str, *labels: str) -> Metric:
    return Metric(name, Type.HISTOGRAM, meaning, labels, buckets)


REQUESTS = _counter(
    "lakebed_store_requests_total",
    "Requests to a store, each attempt one; the code is ok or that of the error.",
    *("store", "verb", "code"),
)
REQUEST_SECONDS = _histogram(
    "lakebed_store_request_duration_seconds",
    _REQUEST,
    "Seconds of a request with its body, failed ones included.",
    *("store", "verb"),
)
RETRIES = _counter(
    "lakebed_store_retries_total",
    "Requests that were sent again after an error of this code.",
    *("store", "verb", "code"),
)
SENT = _counter("lakebed_store_sent_bytes_total", "Bytes of bodies that a store took.", "store")
RECEIVED = _counter(
    "lakebed_store_received_bytes_total",
    "Bytes of objects that came from a store, those of failed requests included.",
    "store",
)
LISTED_KEYS = _counter("lakebed_store_listed_keys_total", "Keys in pages of listings.", "store")

LISTED = _counter(
    "lakebed_listed_objects_total", "Objects of the source that the filters let through.", "kind"
)
SKIPPED = _counter("lakebed_skipped_objects_total", "Objects that are unchanged or kept.", "kind")
EXTRA = _counter("lakebed_extra_objects_total", "Objects that only the destination has.", "kind")
HALVES = _counter("lakebed_halves_total", "Halves of pairs whose other half is missing.", "kind")
PLANNED = _counter("lakebed_planned_objects_total", "Objects that were planned to act on.", "kind")
PLANNED_BYTES = _counter("lakebed_planned_bytes_total", "Bytes of planned objects.", "kind")

OBJECTS = _counter(
    "lakebed_objects_total",
    "Objects settled in the ledger; what was moved is done, and then deleted.",
    *("kind", "state", "lane", "proof"),
)
OBJECT_BYTES = _counter("lakebed_object_bytes_total", "Bytes of done objects.", "kind", "lane")
OBJECT_SECONDS = _histogram(
    "lakebed_object_duration_seconds", _OBJECT, "Seconds of a done object.", "kind", "lane"
)
REFUSALS = _counter(
    "lakebed_object_errors_total", "Objects failed or quarantined, by error.", "kind", "code"
)
IN_FLIGHT = _gauge("lakebed_units_in_flight", "Objects and pairs that are acted on now.")
PENDING = _gauge("lakebed_objects_pending", "Objects planned and not settled, those in flight too.")
BUDGET_HELD = _gauge("lakebed_budget_held_bytes", "Bytes in flight that are reserved now.")
BUDGET_LIMIT = _gauge("lakebed_budget_limit_bytes", "Bytes in flight that are allowed.")

LEDGER_SECONDS = _histogram(
    "lakebed_ledger_write_duration_seconds",
    _LEDGER,
    "Seconds of a transaction that writes a group: of the plan, or of outcomes.",
    "group",
)
RUNNING = _gauge("lakebed_operations_running", "Operations that run in this process.", "kind")
OPERATIONS = _counter(
    "lakebed_operations_total", "Runs of operations that ended, by the state left.", "kind", "state"
)
OPERATION_SECONDS = _histogram(
    "lakebed_operation_duration_seconds", _OPERATION, "Seconds of a run.", "kind"
)
OPERATION_ENDED = _gauge(
    "lakebed_operation_ended_timestamp_seconds",
    "When the last run that left this state ended, since the epoch.",
    *("kind", "state"),
)
BUILD = _gauge("lakebed_build_info", "Always 1; the version is a label.", "version")

ENGINE: tuple[Metric, ...] = tuple(
    found for found in tuple(globals().values()) if isinstance(found, Metric)
)
"""What a process that runs operations tells, in the order in which it stands here."""

HTTP_SECONDS = _histogram(
    "lakebed_http_request_duration_seconds",
    _REQUEST,
    "Seconds until a request to the API was answered; of a stream, until it began.",
    *("method", "route", "status"),
)
STREAMS = _gauge("lakebed_http_streams_open", "Streams of events that are open at this replica.")
QUEUE_WAITING = _gauge(
    "lakebed_queue_waiting", "Operations that wait for any replica, now or later."
)
QUEUE_SECONDS = _histogram(
    "lakebed_queue_wait_duration_seconds",
    _OPERATION_WAIT,
    "Seconds from the moment from which an operation was wanted until this replica took it up.",
)
CRASHES = _counter(
    "lakebed_operation_crashes_total", "Processes of operations that ended without a word."
)
LEDGER_OPERATIONS = _gauge(
    "lakebed_ledger_operations", "Operations that the ledger of all replicas holds.", "state"
)
REPLICAS = _gauge("lakebed_replicas_alive", "Replicas that were heard of within 15 s.")
DATABASE = _gauge("lakebed_database_up", "1 where the database answered the last look, else 0.")

CATALOGUE: tuple[Metric, ...] = tuple(
    found for found in tuple(globals().values()) if isinstance(found, Metric)
)
"""All of them."""
SERVICE = tuple(metric for metric in CATALOGUE if metric not in ENGINE)
"""What a replica of the executor tells of itself, beside what its operations tell."""
