"""The one error tree, and the one table of what each error means to a caller.

An error says what failed, on which object, whether retrying can help and what to change.
`code` is the stable word for it in the ledger, in JSON and as a problem type; `exit_code` is what
a process ends with when the error ends an operation; `retryable` says whether the same call may
succeed later without anybody changing anything.
"""

from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """Exit codes of every command, in one place."""

    COMPLETED = 0
    DEFECT = 1
    USAGE = 2
    FAILED_OBJECTS = 3
    QUARANTINED = 4
    STORE = 5
    ELSEWHERE = 6
    SIGINT = 130
    SIGTERM = 143


EXIT_MEANING: dict[Exit, str] = {
    Exit.COMPLETED: "completed",
    Exit.DEFECT: "a defect of Lakebed",
    Exit.USAGE: "wrong usage or configuration",
    Exit.FAILED_OBJECTS: "some objects failed, differ or hit a limit",
    Exit.QUARANTINED: "none failed, some are quarantined",
    Exit.STORE: "a store or an executor cannot be reached or refuses us",
    Exit.ELSEWHERE: "the operation is running elsewhere or was cancelled",
    Exit.SIGINT: "interrupted by SIGINT (resumable)",
    Exit.SIGTERM: "interrupted by SIGTERM (resumable)",
}


class LakebedError(Exception):
    """Root of every error that Lakebed raises on purpose.

    `what` names what failed in a few words, `subject` the object, store or option it failed on,
    `advice` what the user can change. None of them ever holds a secret.
    """

    code: ClassVar[str] = "defect"
    exit_code: ClassVar[Exit] = Exit.DEFECT
    retryable: ClassVar[bool] = False

    def __init__(self, what: str, *, subject: str = "", advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.subject = subject
        self.advice = advice

    def __str__(self) -> str:
        line = f"{self.subject}: {self.what}" if self.subject else self.what
        return f"{line} ({self.advice})" if self.advice else line


# --- what the user wrote -------------------------------------------------------------------------


class UsageError(LakebedError):
    code, exit_code = "usage", Exit.USAGE


class ConfigurationError(UsageError):
    code = "configuration"


class UnknownStore(UsageError):
    code = "unknown-store"


class UnknownOperation(UsageError):
    code = "unknown-operation"


class UnknownComponent(UsageError):
    code = "unknown-component"


class KeyReused(UsageError):
    """The same idempotency key came with another body."""

    code = "idempotency-key-reused"


# --- what a store answered -----------------------------------------------------------------------


class StoreError(LakebedError):
    """A store could not be reached, or answered with something other than success."""

    code, exit_code = "store", Exit.STORE

    def __init__(
        self,
        what: str,
        *,
        subject: str = "",
        advice: str = "",
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(what, subject=subject, advice=advice)
        self.status = status
        """The HTTP status of the answer, where there was one."""
        self.retry_after = retry_after
        """Seconds that the store asked us to wait (Retry-After), where it did."""


class StoreUnreachable(StoreError):
    code, retryable = "store-unreachable", True
    connected = True
    """False where nobody was there to take the request: no object can be to blame for that."""


class TlsRefused(StoreError):
    code = "tls"


class CredentialsRefused(StoreError):
    code = "credentials-refused"


class ClockSkew(StoreError):
    code = "clock-skew"


class AccessDenied(StoreError):
    code = "access-denied"


class BucketMissing(StoreError):
    code = "bucket-missing"


class ListingRefused(StoreError):
    """An answer that is no listing, out of order, or cut: never to be read as an empty one."""

    code = "listing-refused"


class Throttled(StoreError):
    code, retryable = "throttled", True


class StoreFault(StoreError):
    """The store failed on its side (5xx)."""

    code, retryable = "store-fault", True


class BodyTruncated(StoreError):
    """A body ended before its announced length."""

    code, retryable = "body-truncated", True


class RequestRefused(StoreError):
    """Any other 4xx: the store understood and will not do it."""

    code = "request-refused"


class ObjectMissing(StoreError):
    code = "object-missing"


class PreconditionFailed(StoreError):
    code = "precondition-failed"


class ChecksumRefused(StoreError):
    """The store compared the bytes it received with the digest we sent, and they differ.

    Sending the same again is no cure for bytes that were wrong before: they are fetched anew.
    """

    code = "checksum-refused"


class NotSupported(StoreError):
    code = "not-supported"


# --- what happened to one object -----------------------------------------------------------------


class ObjectError(LakebedError):
    code, exit_code = "object", Exit.FAILED_OBJECTS


class SourceChanged(ObjectError):
    """The source object is no longer the revision that was listed."""

    code = "source-changed"


class DestinationChanged(ObjectError):
    """The destination holds something else than what the plan found or may be replaced."""

    code = "changed"


class DigestRefused(ObjectError):
    """The bytes are not those that their publisher's digest names.

    `expected` and `found` are the two digests (hex SHA-256), where both are known.
    """

    code = "digest-refused"

    def __init__(
        self,
        what: str,
        *,
        subject: str = "",
        advice: str = "",
        expected: str | None = None,
        found: str | None = None,
    ) -> None:
        super().__init__(what, subject=subject, advice=advice)
        self.expected, self.found = expected, found


class ProofFailed(ObjectError):
    """The destination holds something else than what was sent."""

    code = "proof-failed"


class KeyUnsupported(ObjectError):
    """The destination cannot hold this key as it is."""

    code = "key-unsupported"


class ObjectTooLarge(ObjectError):
    code = "object-too-large"


class NoLane(ObjectError):
    """No lane that the mode allows can move this object."""

    code = "no-lane"


class DiskFull(ObjectError):
    code = "disk-full"


# --- what happened to an operation ---------------------------------------------------------------


class OperationError(LakebedError):
    code, exit_code = "operation", Exit.FAILED_OBJECTS


class LimitReached(OperationError):
    """`--max-errors`, `--max-delete` or `--fail-fast` stopped the operation."""

    code = "limit-reached"


class DurationReached(LimitReached):
    """`--max-duration` is over; the operation is interrupted and can be resumed."""

    code = "duration-reached"


class RunningElsewhere(OperationError):
    code, exit_code = "running-elsewhere", Exit.ELSEWHERE


class LeaseLost(OperationError):
    """Another process took the operation over: this one must write nothing more."""

    code, exit_code = "lease-lost", Exit.ELSEWHERE


class Cancelled(OperationError):
    """The operation was asked to stop and is not to be resumed."""

    code, exit_code = "cancelled", Exit.ELSEWHERE


class Interrupted(OperationError):
    """The operation was stopped (SIGINT, SIGTERM) and can be resumed."""

    code, exit_code = "interrupted", Exit.SIGINT


class ProcessDied(OperationError):
    """The process that ran the operation ended without a word, again and again."""

    code, exit_code = "process-died", Exit.DEFECT


# --- who may, and how much -----------------------------------------------------------------------


class AccessError(LakebedError):
    """A caller is unknown, or may not do this."""

    code, exit_code = "access", Exit.STORE


class Unauthenticated(AccessError):
    """Nobody known asks, or what was shown has expired."""

    code = "unauthenticated"


class Forbidden(AccessError):
    """The caller is known, and lacks the permission or the grant."""

    code = "forbidden"


class IssuerAway(AccessError):
    """Who issued a token cannot be asked for its keys, so that nobody can say what it is worth."""

    code, retryable = "issuer-away", True


class TooManyRequests(AccessError):
    """The caller asks more often than it may. `retry_after` is in seconds."""

    code, retryable = "too-many-requests", True

    def __init__(
        self,
        what: str,
        *,
        subject: str = "",
        advice: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, subject=subject, advice=advice)
        self.retry_after = retry_after


# --- what an executor elsewhere says -------------------------------------------------------------


class ExecutorError(LakebedError):
    """What answered is no executor, or none that this program understands."""

    code, exit_code = "executor", Exit.STORE


class ExecutorUnreachable(ExecutorError):
    """The executor could not be reached, or cannot serve now."""

    code, retryable = "executor-unreachable", True


# --- what the ledger says ------------------------------------------------------------------------


class LedgerError(LakebedError):
    """The ledger cannot be opened, migrated or written."""

    code, exit_code, retryable = "ledger", Exit.USAGE, True


class AuditBroken(LakebedError):
    """The audit log is not as it was written."""

    code, exit_code = "audit-broken", Exit.FAILED_OBJECTS


def every_error() -> list[type[LakebedError]]:
    """Each class of the tree, parents first."""
    found: list[type[LakebedError]] = [LakebedError]
    for error in found:
        found.extend(error.__subclasses__())
    return found


def error_of(code: str) -> type[LakebedError]:
    """The class of an error's `code`; the root where this version knows none."""
    return next((error for error in every_error() if error.code == code), LakebedError)


def exit_code_of(code: str) -> Exit:
    """The exit code that belongs to an error's `code`, as the ledger keeps it."""
    return error_of(code).exit_code
