"""The process of one operation: nothing that happens to it happens to its neighbours.

It has the lease that the replica took for it. It ends when the operation does, when the replica
asks it to, or when the replica is gone.
"""

import logging
import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from lakebed.errors import Interrupted, LakebedError, LeaseLost, LedgerError
from lakebed.executor.logged import log
from lakebed.executor.telling import telling
from lakebed.model.operation import Summary
from lakebed.observe.log import Carried
from lakebed.observe.telemetry import Observer
from lakebed.operations.bulletin import Bulletin
from lakebed.operations.lease import Lease
from lakebed.operations.run import Platform
from lakebed.settings import Settings
from lakebed.store.cancellation import Cancellation

STOP = "stop"
"""What the replica says to have the operation handed over."""
ENDED = "ended"
"""What the process says at its end; one that is gone without it crashed, or was killed."""
GONE_GRACE = 5.0
"""Seconds that an operation has to stop by itself once its replica is gone."""
FIRST_TO_GO = "500"
"""How much sooner than others, of 1000, the kernel kills it where memory runs out: one operation
that takes too much is to go, and not the replica with all of them."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Share:
    """What an operation has of its replica, from now on."""

    memory: int
    """Bytes in flight."""
    bandwidth: int | None
    """Bytes a second each way; None: all that the network has."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the process of an operation is told of it."""

    settings: Settings
    operation_id: str
    fence: int
    again: bool
    share: Share
    caller: str = ""
    trace: str | None = None
    """The W3C traceparent of the request that asked for it."""


def main(task: Task, control: Connection, metrics: Connection) -> None:
    """Run one operation to its end, and say so."""
    for number in (signal.SIGINT, signal.SIGHUP):  # the replica's to answer
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):  # only Linux has it
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    trace_id = task.trace.split("-")[1] if task.trace else ""
    log(task.settings, Carried(task.operation_id, trace_id, caller=task.caller))
    cancellation = Cancellation()
    signal.signal(signal.SIGTERM, lambda *_: cancellation.stop(_handed_over()))
    try:
        with telling(task.settings, task.trace, metrics) as observer:
            _run(task, control, cancellation, observer)
    except (LeaseLost, LedgerError) as error:
        # Whoever has the lease now, or will have it, goes on from the ledger.
        _log.warning("operation %s: %s", task.operation_id, error)
    with suppress(OSError):  # nobody may be left to hear it
        control.send(ENDED)


def _run(task: Task, control: Connection, cancellation: Cancellation, observer: Observer) -> None:
    with Platform(task.settings, cancellation, observer) as platform:
        platform.share(task.share.memory, task.share.bandwidth)
        listening = (control, platform, cancellation)
        threading.Thread(target=_listen, args=listening, daemon=True).start()
        ledger = platform.ledger
        lease = Lease(ledger.engine, task.operation_id, task.fence, ledger.now)
        with lease.held(cancellation):  # to count what is there may take longer than a lease
            bulletin = Bulletin(lease, ledger.summary(task.operation_id))
        _log.info("operation %s runs, fence %d", task.operation_id, task.fence)
        try:
            summary = platform.run(lease, bulletin, again=task.again)
        except LakebedError:
            raise
        except Exception:
            _log.exception("operation %s: a defect", task.operation_id)
            summary = ledger.summary(task.operation_id)
        bulletin.ended(summary)
        _log.info("operation %s %s: %s", task.operation_id, summary.state, _outcome(summary))


def _outcome(summary: Summary) -> str:
    counted = f"{summary.copied} copied, {summary.skipped} unchanged, {summary.failed} failed"
    return f"{counted}, {summary.seconds:.1f} s"


def _listen(control: Connection, platform: Platform, cancellation: Cancellation) -> None:
    try:
        while isinstance(word := control.recv(), Share):
            platform.share(word.memory, word.bandwidth)
        cancellation.stop(_handed_over())
        while True:
            control.recv()
    except (EOFError, OSError):
        cancellation.stop(_handed_over())
        threading.Event().wait(GONE_GRACE)
        os._exit(os.EX_TEMPFAIL)


def _handed_over() -> Interrupted:
    return Interrupted("the replica that ran it stops; it goes on elsewhere")
