"""A problem that an executor answered, as the error that it was there."""

from lakebed.api.answers import Problem
from lakebed.errors import (
    ExecutorError,
    ExecutorUnreachable,
    LakebedError,
    StoreError,
    TooManyRequests,
    error_of,
)


def error_from(problem: Problem, retry_after: float | None = None) -> LakebedError:
    """Of the same class, with the same words; of a code that this version does not know, one that
    says so, and whether trying again can help."""
    kind = error_of(problem.code)
    error: LakebedError
    if problem.code != kind.code:
        kind = ExecutorUnreachable if problem.retryable else ExecutorError
    if issubclass(kind, TooManyRequests):
        error = kind(problem.detail, retry_after=retry_after or 1.0)
    elif issubclass(kind, StoreError):
        error = kind(problem.detail, retry_after=retry_after)
    else:
        error = kind(problem.detail)
    error.add_note(f"trace {problem.trace_id} of the executor")
    return error
