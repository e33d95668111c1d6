"""The operations that a replica runs: claimed from the queue, each in a process of its own.

Processes come from a server that has imported the engine already, so that one begins within some
hundredths of a second, with no thread or connection of this process in it.
"""

import asyncio
import logging
import multiprocessing
import signal
from contextlib import suppress
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Protocol

from lakebed.errors import LakebedError, LedgerError
from lakebed.executor import worker
from lakebed.executor.hearing import heard
from lakebed.executor.measures import Unmeasured
from lakebed.executor.share import shares
from lakebed.executor.telling import preloaded
from lakebed.executor.worker import STOP, Share, Task
from lakebed.observe import catalogue
from lakebed.operations.queue import Claim, Queue
from lakebed.settings import Settings

POLL = 0.5
"""Seconds between two looks at the queue: what other replicas were asked for is found so."""
KILL_AFTER = 10.0
"""Seconds that a process has to stop, once it is asked to, before it is killed."""
_log = logging.getLogger(__name__)


class Gate(Protocol):
    """Asked before an operation starts."""

    def admit(self, claim: Claim) -> None:
        """Raises LakebedError where the caller may no longer do this."""
        ...


class Crew:
    """Runs operations from `start` until `stop` has returned."""

    def __init__(
        self, settings: Settings, queue: Queue, gate: Gate, measures: Unmeasured | None = None
    ) -> None:
        self.settings = settings
        self._measures = measures or Unmeasured()
        self._queue = queue
        self._gate = gate
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_preloaded(settings))
        self._hint = asyncio.Event()
        self._stopping = asyncio.Event()
        self._controls: dict[str, Connection] = {}
        self._asked: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        return len(self._tasks)

    def apply(self, settings: Settings) -> None:
        """Operations that are claimed from now on have these settings."""
        self.settings = settings
        self.hint()

    def hint(self) -> None:
        """There may be something in the queue."""
        self._hint.set()

    async def run(self) -> None:
        """Claim and run until `stop` is called, then until the last one has ended."""
        # The server imports while the queue is looked at, not when the first operation is there.
        await asyncio.to_thread(forkserver.ensure_running)
        while not self._stopping.is_set():
            claim = await self._claim() if self.running < self.settings.executor.running else None
            if claim is not None:
                task = asyncio.create_task(self._attend(claim))
                self._tasks.add(task)
                task.add_done_callback(self._left)
                continue
            self._hint.clear()
            try:
                async with asyncio.timeout(POLL):
                    await self._hint.wait()
            except TimeoutError:
                pass

    async def stop(self) -> None:
        """Claim nothing more; let what runs go on for a while, then hand it over."""
        self._stopping.set()
        self.hint()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.settings.executor.drain)
        for control in list(self._controls.values()):
            _say(control, STOP)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.hint()
        if not task.cancelled() and (error := task.exception()):
            _log.error("an operation's process could not be attended: %r", error)

    async def _claim(self) -> Claim | None:
        try:
            return await asyncio.to_thread(self._queue.claim)
        except LedgerError as error:
            _log.warning("%s", error)
            return None

    async def _is_admitted(self, claim: Claim) -> bool:
        try:
            await asyncio.to_thread(self._gate.admit, claim)
        except LedgerError as error:
            _log.warning("%s", error)
            await asyncio.to_thread(self._queue.hand_back, claim.lease)
            return False
        except LakebedError as error:
            await asyncio.to_thread(self._queue.refuse, claim.lease, error)
            return False
        return True

    async def _attend(self, claim: Claim) -> None:
        if not await self._is_admitted(claim):
            return
        operation_id, measures = claim.lease.operation_id, self._measures
        if not claim.again:
            measures.observe(catalogue.QUEUE_SECONDS, claim.waited)
        ours, theirs = multiprocessing.Pipe()
        hears, tells = multiprocessing.Pipe(duplex=False)
        self._asked[operation_id] = claim.request.options.memory
        task = Task(
            self.settings,
            operation_id,
            claim.lease.fence,
            claim.again,
            self._share()[operation_id],
            claim.submission.caller,
            claim.submission.trace,
        )
        process = self._context.Process(target=worker.main, args=(task, theirs, tells), daemon=True)
        await asyncio.to_thread(process.start)
        theirs.close()
        tells.close()
        self._controls[operation_id] = ours
        try:
            with hears, heard(hears, partial(measures.tell, operation_id)):
                await self._ended(process)
        finally:
            measures.left(operation_id)
            del self._controls[operation_id], self._asked[operation_id]
            ours.close()
            self._share()
        if process.exitcode:
            measures.add(catalogue.CRASHES, 1)
            await asyncio.to_thread(self._queue.crashed, claim.lease, _reason(process.exitcode))
        else:
            await asyncio.to_thread(self._queue.hand_back, claim.lease)

    def _share(self) -> dict[str, Share]:
        """What each operation has of this replica; those that run are told."""
        memory = shares(self.settings.executor.memory, self._asked)
        bandwidth = self.settings.bandwidth
        each = bandwidth // len(self._asked) if bandwidth and self._asked else None
        found = {name: Share(size, each) for name, size in memory.items()}
        for name, control in self._controls.items():
            _say(control, found[name])
        return found

    async def _ended(self, process: ForkServerProcess) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(process.sentinel, ended.set)
        try:
            while not ended.is_set():
                if not self._stopping.is_set():
                    await ended.wait()
                    continue
                try:
                    async with asyncio.timeout(self.settings.executor.drain + KILL_AFTER):
                        await ended.wait()
                except TimeoutError:
                    process.kill()
        finally:
            loop.remove_reader(process.sentinel)
        await asyncio.to_thread(process.join)


def _preloaded(settings: Settings) -> list[str]:
    """Modules by name: this process has no use for some of them, and may not import others."""
    is_sqlite = settings.ledger.get_secret_value().startswith("sqlite")
    dialect = "sqlite.pysqlite" if is_sqlite else "postgresql.psycopg"
    drivers = () if is_sqlite else ("psycopg", "psycopg_binary")
    # Each process imports the program that was started, which is the command line's.
    program = ("lakebed.cli",)
    return [
        *drivers,
        f"sqlalchemy.dialects.{dialect}",
        *program,
        *preloaded(settings),
        "lakebed.executor.preload",
    ]


def _say(control: Connection, word: str | Share) -> None:
    with suppress(OSError):  # it may just have ended
        control.send(word)


def _reason(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
