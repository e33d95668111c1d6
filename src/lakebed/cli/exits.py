"""What a process ends with where an error, not an operation's state, ends it."""

from lakebed.cli.signals import Signals
from lakebed.errors import Exit, Interrupted, LakebedError


def exit_of_error(error: LakebedError, signals: Signals) -> Exit:
    if isinstance(error, Interrupted):
        return signals.exit_code or error.exit_code
    return error.exit_code
