"""The process of one operation, as its replica sees it: begun, told to stop, gone.

It is gone when its end of a pipe is closed, which nobody else has: that is true however it ends,
and whether or not the server that forked it is still there to tell its status.
"""

import asyncio
import multiprocessing
import select
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Self

from lakebed.executor import worker
from lakebed.executor.worker import ENDED, STOP, Share, Task

STATUS_AFTER = 2.0
"""Seconds that the status of a process that is gone may be in coming."""
_one_at_a_time = threading.Lock()
"""A start looks at the statuses of all others, and each can be read only once."""


class OperationProcess:
    """Of the event loop that began it."""

    def __init__(self, process: ForkServerProcess, control: Connection) -> None:
        self._process, self._control = process, control
        self._gone = asyncio.Event()
        self.has_ended = False
        """It said so itself: the ledger knows how it went."""
        asyncio.get_running_loop().add_reader(control.fileno(), self._hear)

    @classmethod
    async def begin(cls, context: ForkServerContext, task: Task, tells: Connection) -> Self:
        """Raises OSError where the system has no room for one more. By `tells` it tells metrics."""
        ours, theirs = multiprocessing.Pipe()
        process = context.Process(target=worker.main, args=(task, theirs, tells), daemon=True)
        with theirs:
            try:
                await asyncio.to_thread(_start, process)
            except BaseException:
                ours.close()
                raise
        return cls(process, ours)

    async def is_gone_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        except TimeoutError:
            return False
        return True

    def share(self, share: Share) -> None:
        """Have it go on with so much of what the replica has."""
        self._say(share)

    def stop(self) -> None:
        """Have the operation handed over."""
        self._say(STOP)

    def _say(self, word: str | Share) -> None:
        with suppress(OSError):  # it may just have ended
            room = select.poll()
            room.register(self._control.fileno(), select.POLLOUT)
            # One that was stopped reads nothing, and is not waited for.
            if room.poll(0):
                self._control.send(word)

    def kill(self) -> None:
        """Also one that is stopped goes by this."""
        self._process.kill()

    async def reason(self) -> str:
        """How it ended, once it is gone."""
        status = await asyncio.to_thread(_status, self._process)
        if status is None or status == 255:  # nobody is there to tell
            return "ended without a word"
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"

    def _hear(self) -> None:
        try:
            self.has_ended |= self._control.recv() == ENDED
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._gone.set()


def _start(process: ForkServerProcess) -> None:
    with _one_at_a_time:
        process.start()


def _status(process: ForkServerProcess) -> int | None:
    with _one_at_a_time:
        process.join(STATUS_AFTER)
        return process.exitcode
