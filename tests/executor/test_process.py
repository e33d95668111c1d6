"""A replica and the process of an operation, however either of them behaves."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import pytest

from lakebed.executor import worker
from lakebed.executor.process import OperationProcess
from lakebed.executor.worker import STOP, Share
from lakebed.store.cancellation import Cancellation

SOON = 20.0
WORDS = 3000
"""More of them than a pipe holds."""


def _deaf(control: Connection) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@contextmanager
def stopped() -> Iterator[tuple[SpawnProcess, Connection]]:
    """A process that was stopped, and the pipe to it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_deaf, args=(theirs,))
    process.start()
    theirs.close()
    try:
        os.waitid(os.P_PID, process.pid or 0, os.WSTOPPED)
        yield process, ours
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def in_time(action: Callable[[], None]) -> bool:
    """Whether it is done within the time that a test has."""
    doing = threading.Thread(target=action, daemon=True)
    doing.start()
    doing.join(SOON)
    return not doing.is_alive()


@pytest.mark.parametrize("shares", [0, WORDS])
def test_who_was_stopped_is_told_and_not_waited_for(shares: int) -> None:
    with stopped() as (process, control):

        async def tell() -> None:
            told = OperationProcess(process, control)  # type: ignore[arg-type]
            for number in range(shares):
                told.share(Share(number, None))
            told.stop()
            told.kill()
            assert await told.is_gone_within(SOON)
            assert not told.has_ended

        assert in_time(lambda: asyncio.run(tell()))


# --- what the process hears ----------------------------------------------------------------------


class Shared:
    """A platform that remembers what it was given."""

    def __init__(self) -> None:
        self.shares: list[tuple[int, int | None]] = []

    def share(self, memory: int, bandwidth: int | None) -> None:
        self.shares.append((memory, bandwidth))


@pytest.mark.parametrize(
    "words",
    [
        [],
        [Share(7, None)],
        [STOP],
        [Share(7, None), STOP],
        [Share(7, None), STOP, Share(8, 9)],
        [STOP, Share(8, 9), STOP, Share(8, 9)],
    ],
    ids=str,
)
def test_a_process_whose_replica_is_gone_ends_whatever_it_was_told(
    words: list[str | Share], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(worker, "GONE_GRACE", 0.0)
    monkeypatch.setattr(os, "_exit", ended.append)
    ours, theirs = multiprocessing.Pipe()
    for word in words:
        ours.send(word)
    ours.close()
    platform, cancellation = Shared(), Cancellation()
    with theirs:
        worker._listen(theirs, platform, cancellation)  # type: ignore[arg-type]
    assert ended == [os.EX_TEMPFAIL]
    assert cancellation.stopped
    assert set(platform.shares) <= {(7, None)}, "who stops is given nothing more"
