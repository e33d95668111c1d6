"""How the processes of a replica log: all in one form, as the settings say."""

import logging
import sys

from lakebed.observe.log import LOGGER, NOTHING, Carried, configure, level_of
from lakebed.settings import Settings


def log(settings: Settings, process: Carried = NOTHING) -> None:
    """Log from the level of the settings on; `process` is what every line of this one is of."""
    level = level_of(0, quiet=False, debug=False, configured=settings.log)
    configure(level, as_json=is_json(settings), process=process)


def log_as(settings: Settings) -> None:
    """Only the form: at the level that the command line asked for."""
    configure(logging.getLogger(LOGGER).level, as_json=is_json(settings))


def is_json(settings: Settings) -> bool:
    chosen = settings.executor.log_format
    return chosen == "json" if chosen else not sys.stderr.isatty()
