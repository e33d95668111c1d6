"""The process of one plan: lines of JSON into a pipe, which a reader that is slow holds up.

Nothing is written anywhere else, so that it may be killed at any moment.
"""

import json
import logging
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from lakebed.errors import LakebedError
from lakebed.executor.logged import log
from lakebed.model.operation import Request
from lakebed.operations.run import Platform
from lakebed.report.forecast import Forecast, decision_event
from lakebed.settings import Settings

SOON = 0.25
"""Seconds for which lines may be gathered."""
Failure = tuple[str, str, str, str]
"""An error's code and words."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be planned; the process ends itself after `seconds`."""

    settings: Settings
    request: Request
    seconds: float


def main(task: Task, lines: Connection, failed: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the replica's to answer
    signal.setitimer(signal.ITIMER_REAL, task.seconds)
    log(task.settings)
    try:
        _plan(task, lines)
    except BrokenPipeError:
        pass  # nobody reads any more
    except LakebedError as error:
        failed.send((error.code, error.what, error.subject, error.advice))
    except Exception as error:
        _log.exception("a plan: a defect")
        failed.send((LakebedError.code, f"a defect: {type(error).__name__}", "", ""))


def _plan(task: Task, lines: Connection) -> None:
    forecast = Forecast(task.request)
    flushed = 0.0
    with (
        open(lines.fileno(), "w", encoding="utf-8", closefd=False) as out,
        Platform(task.settings) as platform,
    ):
        for planned in platform.plan(task.request):
            forecast.add(planned)
            out.write(json.dumps(decision_event(planned)) + "\n")
            if time.monotonic() - flushed > SOON:
                out.flush()
                flushed = time.monotonic()
        out.write(json.dumps(forecast.summary_event()) + "\n")
