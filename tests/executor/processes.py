"""The processes of a replica, as the system shows them."""

import os
import select
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tests.e2e.process import PATIENCE
from tests.executor.replica import Replica

FORKED = b"from multiprocessing.forkserver import main"


def below(pid: int) -> list[int]:
    """Its children, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            for child in map(int, task.read_text().split()):
                found += [child, *below(child)]
    return found


def workers(replica: Replica, count: int | None = None) -> set[int]:
    """The processes of its operations; once there are so many, where that is said."""
    give_up = time.monotonic() + PATIENCE
    while len(found := set(_workers(replica.process.pid))) != count and count is not None:
        assert time.monotonic() < give_up, f"{len(found)} processes, not {count}"
        time.sleep(0.02)
    return found


def _workers(pid: int) -> Iterable[int]:
    """Children of the fork server: it and they have one command line."""
    for child in below(pid):
        with suppress(OSError):
            parent = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
            if parent != pid and FORKED in Path(f"/proc/{child}/cmdline").read_bytes():
                yield child


def kill(pids: Iterable[int], number: int = signal.SIGKILL) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def are_gone(pids: Iterable[int], seconds: float = PATIENCE) -> bool:
    """Whether all of them end within so many seconds."""
    give_up = time.monotonic() + seconds
    for pid in pids:
        with suppress(ProcessLookupError):
            watched = os.pidfd_open(pid)
            try:
                left = max(0.0, give_up - time.monotonic())
                if not select.select([watched], [], [], left)[0]:
                    return False
            finally:
                os.close(watched)
    return True
