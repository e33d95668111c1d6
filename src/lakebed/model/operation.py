"""What an operation is asked to do, what states it takes, and what it reports."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum

from lakebed.errors import UsageError
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.quantity import GIB, MIB, format_size


class OperationState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    QUARANTINED = "quarantined"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


NEXT_STATES: dict[OperationState, frozenset[OperationState]] = {
    OperationState.QUEUED: frozenset(
        {OperationState.RUNNING, OperationState.CANCELLED, OperationState.FAILED}
    ),
    OperationState.RUNNING: frozenset(
        {
            OperationState.COMPLETED,
            OperationState.PARTIAL,
            OperationState.QUARANTINED,
            OperationState.FAILED,
            OperationState.CANCELLED,
            OperationState.INTERRUPTED,
        }
    ),
    # A resume goes on where an operation stopped; failed and quarantined objects are tried again.
    OperationState.INTERRUPTED: frozenset({OperationState.RUNNING, OperationState.CANCELLED}),
    OperationState.FAILED: frozenset({OperationState.RUNNING, OperationState.CANCELLED}),
    OperationState.PARTIAL: frozenset({OperationState.RUNNING}),
    OperationState.QUARANTINED: frozenset({OperationState.RUNNING}),
    OperationState.COMPLETED: frozenset(),
    OperationState.CANCELLED: frozenset(),
}
"""Each state, and the states that may follow it. A killed operation stays `running` with a lease
that nobody renews, and is taken over by `running` → `running` under a new fencing token."""


class ObjectState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    DELETED = "deleted"


class Kind(StrEnum):
    SYNC = "sync"
    VERIFY = "verify"


class Action(StrEnum):
    """What is to be done to one object."""

    COPY = "copy"
    DELETE = "delete"
    VERIFY = "verify"


class Decision(StrEnum):
    """What the plan says of one object."""

    COPY = "copy"
    SKIP = "skip"
    CHANGED = "changed"
    EXTRA = "extra"
    DELETE = "delete"
    """An extra one that would be deleted."""
    FAIL = "fail"
    """One that would fail as things are."""


class Lane(StrEnum):
    SERVER_SIDE = "server-side"
    SERVER_SIDE_PARTS = "server-side-parts"
    SERVER_SIDE_BATCH = "server-side-batch"
    PACKED = "packed"
    WHOLE = "whole"
    STREAM = "stream"
    RESUMABLE = "resumable"
    STAGED = "staged"


class Proof(StrEnum):
    """How bytes were proved, best first."""

    PUBLISHER_SHA256 = "publisher-sha256"
    SERVER_CHECKSUM = "server-checksum"
    CONTENT_SHA256 = "content-sha256"
    """Only `verify`: both ends were read in full and have the same SHA-256."""
    ETAG_MD5 = "etag-md5"
    SIZE_ONLY = "size-only"


class Mode(StrEnum):
    AUTO = "auto"
    DIRECT_SYNC = "direct_sync"
    HYBRID = "hybrid"
    TRADITIONAL = "traditional"


class ServerSide(StrEnum):
    """By what a store is asked to copy by itself."""

    API = "api"
    """One CopyObject for each object."""
    S5CMD = "s5cmd"
    """Batches by s5cmd, and the API for what these leave."""


class Compare(StrEnum):
    AUTO = "auto"
    SIZE = "size"
    ETAG = "etag"
    DIGEST = "digest"


class OnChange(StrEnum):
    FAIL = "fail"
    KEEP = "keep"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file of relative keys, too long to be part of a request: one a line, or up to a NUL."""

    path: str
    sha256: str
    """Of its content when the operation began, in hex."""
    nul: bool = False


@dataclass(frozen=True, slots=True)
class InventoryFile:
    """An S3 Inventory on this machine: its manifest.json, or a CSV file of it."""

    path: str
    sha256: str
    """Of the file's content when the operation began, in hex."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which objects of the source an operation acts on. Sizes in bytes, moments in UTC.

    `patterns` are (include?, glob) in the order in which they were given: the last match wins.
    `keys` are the relative keys of `--files-from`, or None for all.
    """

    patterns: tuple[tuple[bool, str], ...] = ()
    min_size: int | None = None
    max_size: int | None = None
    newer: datetime | None = None
    older: datetime | None = None
    keys: tuple[str, ...] | None = None
    keys_file: KeyFile | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How an operation is done. Everything that a resume needs to go on in the same way."""

    filters: Filters = Filters()
    inventory: InventoryFile | None = None
    """What lists the source in its place."""
    compare: Compare = Compare.AUTO
    ignore_existing: bool = False
    delete: bool = False
    max_delete: int | None = None
    """Nothing is deleted where there would be more deletions than this; None: no limit."""
    delete_source: bool = False
    on_change: OnChange = OnChange.REPLACE
    mode: Mode = Mode.AUTO
    server_side: ServerSide = ServerSide.API
    """docs/adr/0016 has the measurement."""
    concurrency: int | None = None
    """Objects in flight, and requests of a kind at each store, at the most; None: as many as the
    stores take."""
    memory: int = 64 * MIB
    """Bytes in flight, for the process."""
    part_size: int | None = None
    """Bytes of a part, where an object needs parts; None: as its size asks for."""
    bandwidth: int | None = None
    """Bytes a second each way, for this operation; None: what the process has."""
    extra_reads: bool = True
    """Whether bytes are read that only a proof asks for, and no copy."""
    retries: int = 5
    """How often one request is tried again."""
    max_errors: int | None = None
    fail_fast: bool = False
    max_duration: float | None = None
    """Seconds after which the operation is interrupted (resumable)."""
    tags: bool = False
    storage_class: str = ""
    sse: str = ""


def check_part_size(part_size: int, memory: int) -> None:
    """Raises UsageError for parts that S3 does not take, or of which `memory` cannot hold two."""
    least, most = 5 * MIB, 5 * GIB
    if not least <= part_size <= most:
        raise UsageError("a part has 5 MiB to 5 GiB", subject="part size")
    if 2 * part_size > memory:
        raise UsageError(
            f"two parts of {format_size(part_size)} do not fit into a memory of "
            f"{format_size(memory)}",
            subject="part size",
            advice=f"give it {format_size(2 * part_size)}, or make parts smaller",
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One operation, as it was asked for."""

    source: Location
    destination: Location
    kind: Kind = Kind.SYNC
    options: Options = Options()


@dataclass(frozen=True, slots=True)
class Item:
    """One object to act on. `key` is relative to the location, the same at both ends.

    `source` is the listed revision, with its full key; None for a deletion. `destination_etag` is
    what the destination held when it was listed, None where it held nothing.
    """

    key: str
    action: Action
    source: Object | None
    destination_etag: str | None = None
    sha256: str | None = None
    """What is known of the bytes of `source`, unread, where Lakebed itself brought them there."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Objects that are trusted together: one object, or a pair (archive first, then sidecar).

    `digest` is the sidecar, as listed at the source (with its full key), that publishes the digest
    of `items[0]`; it need not be among the items.
    """

    items: tuple[Item, ...]
    digest: Object | None = None

    @property
    def deletes(self) -> bool:
        return self.items[0].action is Action.DELETE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object. `seconds` is its time in a lane, `attempts` from 1."""

    key: str
    state: ObjectState
    size: int = 0
    source_etag: str = ""
    destination_etag: str = ""
    lane: Lane | None = None
    proof: Proof | None = None
    sha256: str | None = None
    error: str | None = None
    """The error's code."""
    message: str | None = None
    evidence: str | None = None
    """For a quarantine: JSON with the expected and the found digest, both ETags and sizes."""
    attempts: int = 1
    seconds: float = 0.0
    reread_bytes: int = 0
    """Bytes of parts that an earlier run had sent, read again to meet a digest."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What the ledger remembers of the last proved copy of one key at one destination."""

    source_etag: str
    destination_etag: str
    size: int
    proof: Proof
    sha256: str | None


@dataclass(slots=True)
class Counters:
    """What listing and planning counted; added up in the ledger with each planned batch."""

    listed: int = 0
    """Objects of the source that the filters let through."""
    skipped: int = 0
    extra: int = 0
    halves: int = 0
    """Sidecars without their archive, and archives (.zip) without their sidecar."""
    planned: int = 0
    planned_bytes: int = 0

    def add(self, more: "Counters") -> None:
        for counter in fields(self):
            name = counter.name
            setattr(self, name, getattr(self, name) + getattr(more, name))


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of an operation, computed from the ledger. Bytes are those of copied objects."""

    operation_id: str
    state: OperationState
    listed: int
    copied: int
    skipped: int
    failed: int
    quarantined: int
    deleted: int
    bytes: int
    seconds: float
    extra: int = 0
    halves: int = 0
    pending: int = 0
    reread_bytes: int = 0
    """Bytes of parts that were kept, read again to meet a digest."""
    lanes: dict[str, int] = field(default_factory=dict)
    proofs: dict[str, int] = field(default_factory=dict)
    error: str | None = None
    message: str | None = None
    note: str | None = None
    """How it went another way than was asked for."""
