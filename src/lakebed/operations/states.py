"""How an operation moves from state to state, and what its end means to a caller."""

from lakebed.errors import Exit, Interrupted, OperationError, exit_code_of
from lakebed.model.operation import NEXT_STATES, OperationState, Summary

FINISHED = frozenset(OperationState) - {OperationState.QUEUED, OperationState.RUNNING}
"""States in which nobody works on the operation."""

_EXIT = {
    OperationState.COMPLETED: Exit.COMPLETED,
    OperationState.PARTIAL: Exit.FAILED_OBJECTS,
    OperationState.QUARANTINED: Exit.QUARANTINED,
    OperationState.CANCELLED: Exit.ELSEWHERE,
    OperationState.QUEUED: Exit.ELSEWHERE,
    OperationState.RUNNING: Exit.ELSEWHERE,
}


def advance(current: OperationState, new: OperationState) -> OperationState:
    """`new`, where it may follow `current`; OperationError where it may not."""
    if new not in NEXT_STATES[current]:
        raise OperationError(
            f"it is {current} and cannot become {new}",
            advice="" if NEXT_STATES[current] else "start a new operation",
        )
    return new


def verdict(summary: Summary) -> OperationState:
    """The state in which a run that reached its end leaves an operation.

    Rows that are still pending were planned and not acted on: that is no end, whatever the run
    believed.
    """
    if summary.pending:
        return OperationState.INTERRUPTED
    if summary.failed:
        return OperationState.PARTIAL
    return OperationState.QUARANTINED if summary.quarantined else OperationState.COMPLETED


def exit_code(summary: Summary) -> Exit:
    """What a process that ran, or waited for, this operation ends with."""
    if summary.state in _EXIT:
        return _EXIT[summary.state]
    if summary.state is OperationState.INTERRUPTED and summary.error in (None, Interrupted.code):
        # Which signal it was is kept in the words of the error.
        return Exit.SIGTERM if "SIGTERM" in (summary.message or "") else Exit.SIGINT
    return exit_code_of(summary.error or "")
