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
    """The code in words."""
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
    """16 letters and digits that sort by time."""
    state: OperationState
    """As it was taken up; `progress_url` has the state now."""
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
    """What `GET /api/v1/operations?batch=` finds them by."""
    summary_url: str
    """How they stand together."""
    operations: list[Accepted]
    """In the order of the requests."""


class BatchStatus(BaseModel):
    """How the operations of a batch stand together, of those that the caller may see."""

    model_config = PLAIN

    batch_id: str
    """What `GET /api/v1/operations?batch=` finds each of them by."""
    operations: int
    """How many there are."""
    states: dict[OperationState, int]
    """How many are in each state; those in which none is are left out."""
    files_total: int
    """Objects to be moved, as far as they are planned."""
    files_done: int
    """Copied and proved."""
    files_skipped: int
    """Unchanged, so left alone."""
    files_failed: int
    """Not done."""
    files_quarantined: int
    """Refused by their publisher's own digest."""
    bytes_total: int
    """Of the objects in `files_total`."""
    bytes_done: int
    """Of the objects in `files_done`, and what has passed of those in flight."""


class Throughput(BaseModel):
    """Bytes a second."""

    model_config = PLAIN

    current: float
    """The mean of the last seconds; 0 once it has ended."""
    average: float
    """Over all of its runs."""
    peak: float
    """The highest of `current`, as it was told."""


class OperationStatus(BaseModel):
    """How an operation stands."""

    model_config = PLAIN

    operation_id: str
    """16 letters and digits that sort by time."""
    kind: Kind
    """Whether it copies or only proves."""
    state: OperationState
    """What each means, and what may follow it, is in docs/design.md."""
    source: str
    """As `store:bucket/prefix/`."""
    destination: str
    """As `store:bucket/prefix/`."""
    filtered: bool
    """Whether only some objects of the source were asked for."""
    caller: str | None
    """Who asked for it; null for one of the command line."""
    batch_id: str | None
    """The batch that it came in, where it came in one."""
    priority: int
    """The higher, the sooner."""
    created: datetime
    """When it was asked for."""
    scheduled_for: datetime | None
    """Before when it does not begin, where that was said."""
    started: datetime | None
    """When its first run began; null where none has."""
    finished: datetime | None
    """When its last run ended; null while it runs and before."""
    resumed: bool
    """Whether there were several runs."""
    percentage: float
    """0 to 100, by bytes; while `listing`, of what is planned so far."""
    listing: bool
    """Whether more may still be planned."""
    files_listed: int
    """Objects of the source that the filters take."""
    files_total: int
    """Objects to be moved or proved, as far as they are planned."""
    files_done: int
    """Copied and proved; of `verify`: proved."""
    files_skipped: int
    """Unchanged, so left alone."""
    files_failed: int
    """Not done; the error of each says why."""
    files_quarantined: int
    """Refused by their publisher's own digest."""
    files_deleted: int
    """Deleted at the destination, or moved away from the source."""
    files_extra: int
    """Only at the destination."""
    files_pending: int
    """Planned, and not settled."""
    files_in_flight: int
    """On their way now."""
    half_pairs: int
    """Archives without their sidecar, sidecars without their archive."""
    bytes_total: int
    """Of the objects in `files_total`."""
    bytes_done: int
    """Of the objects in `files_done`, and what has passed of those in flight."""
    bytes_reread: int
    """Of parts that an earlier run had sent, read again to meet a digest."""
    throughput: Throughput
    """How fast bytes move."""
    seconds: float
    """How long its runs took together."""
    seconds_left: float | None
    """At the current throughput; null where that says nothing."""
    retries: int
    """Requests to stores that were tried again."""
    proofs: dict[str, int]
    """Objects by how they were proved."""
    lanes: dict[str, int]
    """Objects by how they were moved."""
    errors: dict[str, int]
    """Objects by the code of their error."""
    error: str | None
    """The code of the error that ended it as a whole."""
    message: str | None
    """What that error says."""
    note: str | None
    """How it went another way than was asked for."""
    exit_code: int
    """What the command line ends with for it."""
    report_url: str
    """Where its report is, relative to this host."""
    events_url: str
    """Where its server-sent events are; in the answer to a resume, those from then on."""


class OperationPage(BaseModel):
    """Operations, the newest first."""

    model_config = PLAIN

    operations: list[OperationStatus]
    """At most as many as were asked for."""
    next: str | None
    """The `after` of the next page; null at the end."""


class ObjectStatus(BaseModel):
    """One object of an operation."""

    model_config = PLAIN

    key: str
    """Relative to the locations."""
    action: str
    """What is to be done: `copy`, `verify` or `delete`."""
    state: ObjectState
    """What became of it."""
    size: int | None
    """Bytes."""
    lane: str | None
    """How it was moved."""
    proof: str | None
    """How its bytes were proved."""
    sha256: str | None
    """Of its bytes, in hex, where they were read or published."""
    error: str | None
    """The code of its error."""
    message: str | None
    """What that error says."""
    attempts: int | None
    """At which attempt it was settled."""
    seconds: float | None
    """How long it was in its lane, or until it was proved."""


class ObjectPage(BaseModel):
    """Objects of an operation, in key order."""

    model_config = PLAIN

    objects: list[ObjectStatus]
    """At most as many as were asked for."""
    next: str | None
    """The `after` of the next page; null at the end."""


class WebhookSecret(BaseModel):
    """Verify `webhook-signature` of a notification with it; docs/webhooks.md says how."""

    model_config = PLAIN

    secret: str
    """`whsec_` and base64, as libraries for Standard Webhooks take it."""
