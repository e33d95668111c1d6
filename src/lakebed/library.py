"""Lakebed as a library, for asyncio programs: the same words as the command line.

The engine works in threads of its own; each call here hands it one job and waits. Cancelling the
task stops the engine, which ends within seconds and leaves the operation resumable.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

from lakebed.errors import Interrupted, UsageError
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.operation import Kind, Options, Request, Summary
from lakebed.model.quarantine import Quarantined
from lakebed.model.report import Report
from lakebed.observe.telemetry import UNOBSERVED, Observer
from lakebed.operations.run import Platform
from lakebed.operations.watch import Watch
from lakebed.settings import Settings, load
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.plan import Planned

T = TypeVar("T")
_PAGE = 1000
"""Items that are fetched at once from the engine's thread."""


async def sync(
    source: str | Location,
    destination: str | Location,
    *,
    options: Options | None = None,
    settings: Settings | None = None,
    watch: Watch | None = None,
    observer: Observer = UNOBSERVED,
) -> Summary:
    """Copy what is missing or changed, prove it, remember it; how it ended.

    `settings` are by default those that the command line finds. A store that is away or refuses
    us is in the summary's `state`, `error` and `message`; raised are UsageError, before anything
    begins, and LedgerError. `observer` is told of it, and of others: one for a program, as
    `Metrics(registry)` or `Traces(provider)`; what settings say of telemetry is for commands.
    """
    request = _request(source, destination, Kind.SYNC, options)
    return await _do(lambda platform: platform.sync(request, watch), settings, observer)


async def verify(
    source: str | Location,
    destination: str | Location,
    *,
    options: Options | None = None,
    settings: Settings | None = None,
    watch: Watch | None = None,
    observer: Observer = UNOBSERVED,
) -> Summary:
    """Prove a destination against its source or its published digests; copies nothing."""
    request = _request(source, destination, Kind.VERIFY, options)
    return await _do(lambda platform: platform.sync(request, watch), settings, observer)


async def resume(
    operation_id: str,
    *,
    settings: Settings | None = None,
    watch: Watch | None = None,
    observer: Observer = UNOBSERVED,
) -> Summary:
    """Go on where an operation stopped. Raises UnknownOperation, RunningElsewhere."""
    return await _do(lambda platform: platform.resume(operation_id, watch), settings, observer)


async def cancel(operation_id: str, *, settings: Settings | None = None) -> Summary:
    """Stop an operation for good, wherever it runs; its summary at this moment."""
    return await _do(lambda platform: platform.cancel(operation_id), settings)


async def plan(
    source: str | Location,
    destination: str | Location,
    *,
    options: Options | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[Planned]:
    """What `sync` would decide, object by object; nothing is written."""
    request = _request(source, destination, Kind.SYNC, options)
    async with _Engine(settings) as engine:
        planned = engine.platform.plan(request)
        while page := await engine.do(lambda: list(islice(planned, _PAGE))):
            for one in page:
                yield one


async def ls(
    location: str | Location, *, settings: Settings | None = None
) -> AsyncIterator[Object]:
    """The objects of a location."""
    where = _location(location)
    async with _Engine(settings) as engine:
        listed = engine.platform.list(where)
        while page := await engine.do(lambda: list(islice(listed, _PAGE))):
            for one in page:
                yield one


async def report_of(operation_id: str, *, settings: Settings | None = None) -> Report:
    """All that the ledger tells of an operation. Raises UnknownOperation."""
    return await _do(lambda platform: platform.ledger.report(operation_id), settings)


async def quarantine_list(
    location: str | Location | None = None, *, settings: Settings | None = None
) -> AsyncIterator[Quarantined]:
    """What is in quarantine, at a location or anywhere."""
    where = None if location is None else _location(location)
    async with _Engine(settings) as engine:
        entries = engine.platform.quarantined(where)
        while page := await engine.do(lambda: list(islice(entries, _PAGE))):
            for one in page:
                yield one


async def quarantine_release(
    which: str | Location | None = None, *, every: bool = False, settings: Settings | None = None
) -> int:
    """Have the next run try pairs again; how many.

    `which` is a location, or a full key in any bucket, which has no colon. Raises UsageError where
    it is missing and not `every` pair is meant.
    """
    if every == (which is not None):
        raise UsageError("release what?", advice="name a key or a location, or say every=True")
    is_key = isinstance(which, str) and ":" not in which
    chosen = which if which is None or is_key else _location(which)
    return await _do(lambda platform: platform.release(chosen), settings)


class _Engine:
    """A platform and the one thread in which it is spoken to."""

    def __init__(self, settings: Settings | None, observer: Observer = UNOBSERVED) -> None:
        self._cancellation = Cancellation()
        found = settings or load(None, os.environ, Path.cwd())
        self.platform = Platform(found, self._cancellation, observer)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lakebed-engine")

    async def do(self, action: Callable[[], T]) -> T:
        """Do it in the engine's thread; when the task is cancelled, stop it and wait for its end,
        so that nothing outlives the call."""
        work = asyncio.get_running_loop().run_in_executor(self._thread, action)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._cancellation.stop(Interrupted("the task was cancelled"))
            await asyncio.wait([work])
            raise

    async def __aenter__(self) -> "_Engine":
        return self

    async def __aexit__(self, *_: object) -> None:
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        await asyncio.shield(closing)
        self._thread.shutdown()

    def _close(self) -> None:
        self.platform.__exit__(None, None, None)


async def _do(
    action: Callable[[Platform], T],
    settings: Settings | None,
    observer: Observer = UNOBSERVED,
) -> T:
    async with _Engine(settings, observer) as engine:
        return await engine.do(lambda: action(engine.platform))


def _request(
    source: str | Location, destination: str | Location, kind: Kind, options: Options | None
) -> Request:
    return Request(_location(source), _location(destination), kind, options or Options())


def _location(where: str | Location) -> Location:
    return Location.parse(where) if isinstance(where, str) else where
