"""What the executor answers. Moments are ISO 8601 in UTC, sizes bytes, durations seconds."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from lakebed.model.operation import Kind, ObjectState, OperationState

PLAIN = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Problem(BaseModel):
    """RFC 9457: what went wrong, in one shape for every error."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="allow")

    type: str
    """`urn:lakebed:problem:CODE`; the codes are those of docs/design.md."""
    title: str
    """What failed, in a few words."""
    status: int
    """The HTTP status again."""
    detail: str
    """What failed, on what, and what to change."""
    code: str
    """The stable word for it."""
    retryable: bool
    """Whether the same request may succeed later."""
    trace_id: str
    """What the logs and traces of this request are found by."""
    errors: list[dict[str, str]] = []
    """Which fields were refused, and why."""


class Accepted(BaseModel):
    """An operation that was taken up, or is there already under the same idempotency key."""

    model_config = PLAIN

    operation_id: str
    state: OperationState
    progress_url: str
    """Where its status is, relative to this host."""
    events_url: str
    """Where its server-sent events are."""
    repeated: bool = False
    """Whether it was there before, under the same idempotency key."""


class BatchAccepted(BaseModel):
    """Operations that were taken up together."""

    model_config = PLAIN

    batch_id: str
    operations: list[Accepted]


class Throughput(BaseModel):
    """Bytes a second."""

    model_config = PLAIN

    current: float
    average: float
    peak: float


class OperationStatus(BaseModel):
    """How an operation stands."""

    model_config = PLAIN

    operation_id: str
    kind: Kind
    state: OperationState
    source: str
    destination: str
    caller: str | None
    """Who asked for it; null for one of the command line."""
    batch_id: str | None
    priority: int
    created: datetime
    scheduled_for: datetime | None
    started: datetime | None
    finished: datetime | None
    percentage: float
    """0 to 100, by bytes; while `listing`, of what is planned so far."""
    listing: bool
    """Whether more may still be planned."""
    files_listed: int
    files_total: int
    """Objects to be moved or proved, as far as they are planned."""
    files_done: int
    files_skipped: int
    files_failed: int
    files_quarantined: int
    files_deleted: int
    files_in_flight: int
    bytes_total: int
    bytes_done: int
    throughput: Throughput
    seconds: float
    """How long its runs took together."""
    seconds_left: float | None
    """At the current throughput; null where that says nothing."""
    retries: int
    proofs: dict[str, int]
    """Objects by how they were proved."""
    lanes: dict[str, int]
    """Objects by how they were moved."""
    errors: dict[str, int]
    """Objects by the code of their error."""
    error: str | None
    """The code of the error that ended it as a whole."""
    message: str | None
    note: str | None
    """How it went another way than was asked for."""
    exit_code: int
    """What the command line ends with for it."""
    report_url: str


class OperationPage(BaseModel):
    """Operations, the newest first."""

    model_config = PLAIN

    operations: list[OperationStatus]
    next: str | None
    """The `after` of the next page; null at the end."""


class ObjectStatus(BaseModel):
    """One object of an operation."""

    model_config = PLAIN

    key: str
    """Relative to the locations."""
    action: str
    state: ObjectState
    size: int | None
    lane: str | None
    proof: str | None
    sha256: str | None
    error: str | None
    message: str | None
    attempts: int | None
    seconds: float | None


class ObjectPage(BaseModel):
    """Objects of an operation, in key order."""

    model_config = PLAIN

    objects: list[ObjectStatus]
    next: str | None
    """The `after` of the next page; null at the end."""


class WebhookSecret(BaseModel):
    """Verify `webhook-signature` of a notification with it; docs/webhooks.md says how."""

    model_config = PLAIN

    secret: str
    """`whsec_` and base64, as libraries for Standard Webhooks take it."""
