"""The operations that a replica runs: claimed from the queue, each in a process of its own.

Processes come from a server that has imported the engine already, so that one begins within some
hundredths of a second, with no thread or connection of this process in it.
"""

import asyncio
import logging
import multiprocessing
from collections.abc import Callable
from functools import partial
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from typing import Protocol, TypeVar

from lakebed.errors import LakebedError, LedgerError
from lakebed.executor import telling
from lakebed.executor.hearing import heard
from lakebed.executor.measures import Unmeasured
from lakebed.executor.process import OperationProcess
from lakebed.executor.share import shares
from lakebed.executor.worker import Share, Task
from lakebed.observe import catalogue
from lakebed.operations.lease import DURATION
from lakebed.operations.queue import Queue
from lakebed.operations.submission import Claim
from lakebed.settings import Settings

POLL = 0.5
"""Seconds between two looks at the queue: what other replicas were asked for is found so."""
KILL_AFTER = 10.0
"""Seconds that a process has to stop, once it is asked to, before it is killed."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Gate(Protocol):
    """Asked before an operation starts."""

    def admit(self, claim: Claim) -> None:
        """Raises LakebedError where the caller may no longer do this."""
        ...


class Crew:
    """Runs operations from `run` until `stop` has returned."""

    def __init__(
        self, settings: Settings, queue: Queue, gate: Gate, measures: Unmeasured | None = None
    ) -> None:
        self.settings = settings
        self._measures = measures or Unmeasured()
        self._queue = queue
        self._gate = gate
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(preloaded(settings))
        self._hint = asyncio.Event()
        self._closed = self._hands_over = self._is_away = False
        self._memory: dict[str, int] = {}
        """What each operation that runs here asked for, in bytes."""
        self._processes: dict[str, OperationProcess] = {}
        self._tasks: dict[asyncio.Task[None], str] = {}

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

    def close(self) -> None:
        """Claim nothing more."""
        self._closed = True
        self.hint()

    async def run(self) -> None:
        """Claim and run until it is closed, then until the last one has ended."""
        # The server imports while the queue is looked at, not when the first operation is there.
        await asyncio.to_thread(forkserver.ensure_running)
        while not self._closed:
            self._hint.clear()  # before the look: what comes during it is not forgotten
            claim = await self._claim() if self.running < self.settings.executor.running else None
            if claim is not None:
                task = asyncio.create_task(self._attend(claim))
                self._tasks[task] = claim.lease.operation_id
                task.add_done_callback(self._left)
                continue
            try:
                async with asyncio.timeout(POLL):
                    await self._hint.wait()
            except TimeoutError:
                pass
        await self._ended(None)

    async def stop(self) -> None:
        """Claim nothing more; let what runs go on for a while, hand it over, and kill what does
        neither."""
        self.close()
        await self._ended(self.settings.executor.drain)
        self.hand_over()
        await self._ended(KILL_AFTER)
        for process in self._processes.values():
            process.kill()
        await self._ended(KILL_AFTER)
        for task in list(self._tasks):
            task.cancel()  # not even the kernel ends it

    def hand_over(self) -> None:
        """Have all that runs stop now, to go on elsewhere."""
        self._hands_over = True
        for process in self._processes.values():
            process.stop()

    async def _ended(self, seconds: float | None) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def _left(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self.hint()
        if not task.cancelled() and (error := task.exception()):
            _log.error("an operation's process could not be attended: %r", error)

    async def _claim(self) -> Claim | None:
        ours = frozenset(self._tasks.values())
        return await self._asked(lambda: self._queue.claim(ours), None)

    async def _is_admitted(self, claim: Claim) -> bool:
        try:
            await asyncio.to_thread(self._gate.admit, claim)
        except LedgerError as error:
            _log.warning("%s", error)
            await self._asked(lambda: self._queue.hand_back(claim.lease), None)
            return False
        except LakebedError as error:
            await self._asked(partial(self._queue.refuse, claim.lease, error), None)
            return False
        return True

    async def _attend(self, claim: Claim) -> None:
        try:
            if await self._is_admitted(claim):
                await self._conduct(claim)
        except Exception as error:
            _log.exception("operation %s could not be attended", claim.lease.operation_id)
            reason = f"could not be attended: {error!r}"
            await self._asked(lambda: self._queue.crashed(claim.lease, reason), None)

    async def _conduct(self, claim: Claim) -> None:
        lease, asked = claim.lease, claim.request.options.memory
        if not claim.again:
            self._measures.observe(catalogue.QUEUE_SECONDS, claim.waited)
        self._memory[lease.operation_id] = asked
        try:
            reason = await self._run(claim, self._share()[lease.operation_id])
        finally:
            del self._memory[lease.operation_id]
            self._measures.left(lease.operation_id)
            self._share()
        if reason is None or self._hands_over:
            await self._asked(lambda: self._queue.hand_back(lease), None)
        else:
            _log.warning("operation %s: its process %s", lease.operation_id, reason)
            self._measures.add(catalogue.CRASHES, 1)
            await self._asked(lambda: self._queue.crashed(lease, reason), None)

    def _share(self) -> dict[str, Share]:
        """What each operation has of this replica; those that run are told."""
        memory = shares(self.settings.executor.memory, self._memory)
        bandwidth = self.settings.bandwidth
        each = bandwidth // len(self._memory) if bandwidth and self._memory else None
        found = {name: Share(size, each) for name, size in memory.items()}
        for name, process in self._processes.items():
            if name in found:
                process.share(found[name])
        return found

    async def _run(self, claim: Claim, share: Share) -> str | None:
        """Run it in a process: None, or how that ended without a word."""
        if self._closed:
            return None
        lease, asked = claim.lease, claim.submission
        task = Task(
            self.settings,
            lease.operation_id,
            lease.fence,
            claim.again,
            share,
            asked.caller,
            asked.trace,
        )
        hears, tells = multiprocessing.Pipe(duplex=False)
        with hears:
            try:
                with tells:
                    process = await OperationProcess.begin(self._context, task, tells)
            except OSError as error:
                return f"could not begin: {error.strerror}"
            self._processes[task.operation_id] = process
            if self._hands_over:
                process.stop()
            try:
                with heard(hears, partial(self._measures.tell, task.operation_id)):
                    await self._watch(claim, process)
            finally:
                del self._processes[task.operation_id]
        return None if process.has_ended else await process.reason()

    async def _watch(self, claim: Claim, process: OperationProcess) -> None:
        """Until it is gone. One that has lost its lease, and still is there a lease later, hangs or
        was stopped: it takes a place, and can do nothing with it."""
        is_ours = True
        while not await process.is_gone_within(DURATION):
            was_ours = is_ours
            is_ours = await self._asked(lambda: self._queue.is_ours(claim.lease), True)
            if not (is_ours or was_ours):
                process.kill()

    async def _asked(self, question: Callable[[], T], otherwise: T) -> T:
        """The answer of the queue. While the database is away leases end by themselves."""
        try:
            answer = await asyncio.to_thread(question)
        except LakebedError as error:
            if not self._is_away:
                _log.warning("%s", error)
            self._is_away = isinstance(error, LedgerError)
            return otherwise
        except Exception:
            _log.exception("the queue could not be asked")  # a replica that claims nothing is none
            return otherwise
        self._is_away = False
        return answer


def preloaded(settings: Settings) -> list[str]:
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
        *telling.preloaded(settings),
        "lakebed.executor.preload",
    ]
