"""The plans that a replica makes: each in a process of its own, a few at once."""

import asyncio
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from lakebed.errors import DurationReached, LakebedError, ProcessDied, TooManyRequests, error_of
from lakebed.executor import planner
from lakebed.executor.planner import Failure, Task
from lakebed.model.operation import Request
from lakebed.settings import Settings

CHUNK = 64 * 1024
"""Bytes that are read, and held, at once."""
COME_BACK = 5.0
"""Seconds after which a caller may ask again where all places are taken."""


class Plans:
    """Used within the loop of the replica."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()

    async def lines(
        self, settings: Settings, request: Request, caller: str
    ) -> AsyncGenerator[bytes]:
        """The lines of a plan, some at a time. One place is left by each caller to the others.

        Raises TooManyRequests where as many as may be are made already, DurationReached, and what
        the plan raises. Closing it ends the process.
        """
        most = settings.executor.plans
        if self._running.total() >= most or self._running[caller] >= max(1, most - 1):
            raise TooManyRequests(
                "as many plans are being made here as may be at once",
                retry_after=COME_BACK,
                advice="try again in some seconds",
            )
        self._running[caller] += 1
        try:
            async for piece in _planned(Task(settings, request, settings.executor.plan_deadline)):
                yield piece
        finally:
            self._running[caller] -= 1


async def _planned(task: Task) -> AsyncGenerator[bytes]:
    ours, lines = multiprocessing.Pipe(duplex=False)
    failures, failed = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=planner.main, args=(task, lines, failed), daemon=True)
    with ours, failures:
        with lines, failed:
            await asyncio.to_thread(process.start)
        held = b""
        try:
            async with _reader(ours) as reader:
                while piece := await reader.read(CHUNK):
                    whole, end, held = (held + piece).rpartition(b"\n")
                    if end:
                        yield whole + end
            await asyncio.to_thread(process.join)
            error = _error(process, failures, task.seconds)
        finally:
            process.kill()
            await asyncio.to_thread(process.join)
    if error is not None:
        raise error


@asynccontextmanager
async def _reader(pipe: Connection) -> AsyncIterator[asyncio.StreamReader]:
    reader = asyncio.StreamReader(CHUNK)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(pipe.fileno()), "rb", 0)
    )
    try:
        yield reader
    finally:
        transport.close()


def _error(process: ForkServerProcess, failures: Connection, seconds: float) -> LakebedError | None:
    if process.exitcode == -signal.SIGALRM:
        what = f"the plan took longer than {seconds:g} s"
        return DurationReached(what, advice="plan a longer prefix, or with filters")
    if process.exitcode:
        return ProcessDied(f"the process of the plan ended with status {process.exitcode}")
    try:
        told: Failure = failures.recv()
    except EOFError:
        return None
    code, what, subject, advice = told
    return error_of(code)(what, subject=subject, advice=advice)
