"""What goes into the queue, and what comes out of it."""

import hashlib
from dataclasses import dataclass

from lakebed.model.operation import Request
from lakebed.operations.lease import Lease


@dataclass(frozen=True, slots=True)
class Submission:
    """Who asked for an operation, and how soon it is wanted. Moments in epoch seconds.

    `authority` (JSON) says what the caller may do, `notification` (JSON) where to tell of it,
    `trace` is a W3C traceparent.
    """

    caller: str
    authority: str = "{}"
    priority: int = 0
    not_before: float = 0.0
    batch: str | None = None
    trace: str | None = None
    notification: str | None = None


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A key that a caller gave to a request, and the body that it stands for."""

    key: str
    body: bytes

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Enqueued:
    ids: tuple[str, ...]
    repeated: bool = False
    """They were there before, under the same idempotency key."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An operation that this process has the lease of, and is to run."""

    lease: Lease
    request: Request
    submission: Submission
    again: bool
    """It ran before."""
    waited: float = 0.0
    """Seconds since it was wanted."""
