"""What a process ends with: from the ledger's summary, or from an error."""

from lakebed.cli.signals import Signals
from lakebed.errors import Exit, Interrupted, LakebedError, exit_code_of
from lakebed.model.operation import OperationState, Summary

_OF_STATE = {
    OperationState.QUEUED: Exit.ELSEWHERE,
    OperationState.RUNNING: Exit.ELSEWHERE,
    OperationState.COMPLETED: Exit.COMPLETED,
    OperationState.PARTIAL: Exit.FAILED_OBJECTS,
    OperationState.QUARANTINED: Exit.QUARANTINED,
    OperationState.FAILED: Exit.DEFECT,
    OperationState.CANCELLED: Exit.ELSEWHERE,
    OperationState.INTERRUPTED: Exit.SIGINT,
}
"""By the operation's state, where its error does not say more."""


def exit_of(summary: Summary, signals: Signals) -> Exit:
    """A signal counts where it is what ended the operation, not where it came too late."""
    if summary.state is OperationState.INTERRUPTED and summary.error in (None, Interrupted.code):
        return signals.exit_code or Exit.SIGINT
    if summary.state in (OperationState.FAILED, OperationState.INTERRUPTED) and summary.error:
        return exit_code_of(summary.error)
    return _OF_STATE[summary.state]


def exit_of_error(error: LakebedError, signals: Signals) -> Exit:
    if isinstance(error, Interrupted):
        return signals.exit_code or error.exit_code
    return error.exit_code
