"""An executor elsewhere, asked over HTTP."""

import asyncio
import heapq
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from lakebed.api.answers import OperationStatus
from lakebed.api.body import plan_body, sync_body, verify_body
from lakebed.api.client import PAGE as MOST
from lakebed.api.client import Client
from lakebed.api.planned import PlannedObject
from lakebed.cli.display import Display
from lakebed.cli.engine.answers import (
    capabilities_of,
    is_meant,
    key_of,
    shown,
    store_shown,
    summary_of,
)
from lakebed.cli.engine.engine import Shown, StoreShown
from lakebed.cli.engine.relay import Relay
from lakebed.cli.options import Network
from lakebed.cli.request import bandwidth_of
from lakebed.errors import ExecutorUnreachable, Interrupted, UnknownStore, UsageError
from lakebed.model.location import Location
from lakebed.model.operation import Kind, ObjectState, OperationState, Request, Summary
from lakebed.report.formats import Format
from lakebed.report.json_report import Row
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import Capabilities
from lakebed.transfer.plan import Planned

_log = logging.getLogger(__name__)
T = TypeVar("T")
LOOK = 0.1
"""Seconds between two looks at whether a signal came."""
WAIT = 5.0
"""Seconds after which it is said that an operation has not begun yet."""
PAGE, SOON = 500, 0.2
"""Items that are passed on at once; seconds for which they may be gathered."""


@contextmanager
def connected(url: str, cancellation: Cancellation, network: Network | None) -> "Iterator[Remote]":
    with asyncio.Runner() as runner:
        client = Client(url)
        try:
            yield Remote(client, runner, cancellation, network)
        finally:
            runner.run(_ended(client))


class Remote:
    """A signal ends the watching of an operation, and not the operation."""

    def __init__(
        self,
        client: Client,
        runner: asyncio.Runner,
        cancellation: Cancellation,
        network: Network | None,
    ) -> None:
        self._client, self._runner, self._cancellation = client, runner, cancellation
        self._network = network

    def sync(self, request: Request, display: Display) -> Summary:
        return self._do(self._sync(request, display))

    def resume(self, operation_id: str, display: Display) -> Summary:
        if self._network is not None and self._network.bandwidth is not None:
            raise UsageError(
                "--bandwidth with --executor is said when an operation is started",
                advice="leave it out",
            )
        return self._do(self._resume(operation_id, display))

    def cancel(self, operation_id: str) -> Summary:
        return summary_of(self._do(self._client.cancel(operation_id)))

    def plan(self, request: Request) -> Iterator[Planned]:
        for told in self._each(self._client.plan(plan_body(request))):
            if isinstance(told, PlannedObject):
                yield Planned(told.decision, told.key, told.size, told.reason)

    def operations(self, state: OperationState | None, limit: int) -> Sequence[Shown]:
        found = self._client.operations(state=state, page_size=min(limit, MOST))
        return self._do(_first(found, limit))

    def operation(self, operation_id: str) -> Shown:
        return shown(self._do(self._client.operation(operation_id)))

    def failures(self, operation_id: str) -> Iterator[Row]:
        found = [
            self._each(self._client.objects(operation_id, state=state))
            for state in (ObjectState.FAILED, ObjectState.QUARANTINED)
        ]
        return heapq.merge(*found, key=key_of)

    def report(self, operation_id: str, form: Format) -> Iterator[str]:
        return self._each(self._client.report(operation_id, form))

    def stores(self) -> Sequence[StoreShown]:
        return [store_shown(one) for one in self._do(self._client.stores()).stores]

    def probed(self) -> Iterator[tuple[Location, Capabilities]]:
        for store in self._do(self._client.stores()).stores:
            for found in store.buckets:
                yield Location(store.store, found.bucket), capabilities_of(found)

    def capabilities(self, location: Location, refresh: bool) -> Capabilities:
        if location.is_local:
            raise UsageError("an executor does not see the folders of this machine")
        known = self._do(self._client.stores()).stores
        store = next((one for one in known if is_meant(one, location.store)), None)
        for found in store.buckets if store and not refresh else ():
            if found.bucket == location.bucket:
                return capabilities_of(found)
        name = store.store if store else location.store
        if not name:
            raise UnknownStore("none is the default at the executor", subject=str(location))
        return capabilities_of(self._do(self._client.probe(name, location.bucket)))

    async def _sync(self, request: Request, display: Display) -> Summary:
        limited = self._limited(request)
        try:
            if request.kind is Kind.VERIFY:
                accepted = await self._client.verify(verify_body(limited))
            else:
                accepted = await self._client.sync(sync_body(limited))
        except asyncio.CancelledError:
            raise self._left(None) from None
        return await self._watched(accepted.operation_id, 0, display)

    async def _resume(self, operation_id: str, display: Display) -> Summary:
        status = await self._client.resume(operation_id)
        (number,) = parse_qs(urlsplit(status.events_url).query).get("after", ["0"])
        return await self._watched(status.operation_id, int(number), display)

    def _limited(self, request: Request) -> Request:
        rate = bandwidth_of(self._network)
        if rate is None:
            return request
        return replace(request, options=replace(request.options, bandwidth=rate))

    async def _watched(self, operation_id: str, after: int, display: Display) -> Summary:
        relay = Relay(display, operation_id)
        loop = asyncio.get_running_loop()
        waiting = loop.call_later(WAIT, _log.warning, "operation %s waits its turn", operation_id)
        try:
            async with aclosing(self._client.events(operation_id, after=after)) as events:
                async for event in events:
                    summary = relay.told(event)
                    if relay.has_begun:
                        waiting.cancel()
                    if summary is not None:
                        return summary
        except asyncio.CancelledError:
            raise self._left(operation_id) from None
        except ExecutorUnreachable as away:
            where = f"lakebed operations {operation_id} --executor {self._client.url}"
            raise ExecutorUnreachable(
                away.what, subject=away.subject, advice=f"the operation may go on, see it: {where}"
            ) from None
        finally:
            waiting.cancel()
        raise AssertionError("events end with a summary, or an error")

    def _left(self, operation_id: str | None) -> Interrupted:
        """What the signal did not end, and how to."""
        reason, url = self._cancellation.reason, self._client.url
        if operation_id is None:
            what = f"{reason}; whether the executor took it up is not known"
            return Interrupted(what, advice=f"see lakebed operations --executor {url}")
        return Interrupted(
            f"{reason}; operation {operation_id} goes on at the executor",
            advice=f"see it: lakebed operations {operation_id} --executor {url}, "
            f"end it: lakebed cancel {operation_id} --executor {url}",
        )

    def _each(self, items: AsyncGenerator[T]) -> Iterator[T]:
        while page := self._do(_page(items)):
            yield from page

    def _do(self, work: Coroutine[object, object, T]) -> T:
        """Raises what a signal stopped it with, where the work says nothing better."""
        return self._runner.run(self._until_stopped(work))

    async def _until_stopped(self, work: Coroutine[object, object, T]) -> T:
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.wait([task], timeout=LOOK)
            if not task.done() and self._cancellation.stopped:
                task.cancel()
                await asyncio.wait([task])
        if task.cancelled():
            self._cancellation.check()
        return task.result()


async def _page(items: AsyncIterator[T]) -> list[T]:
    page: list[T] = []
    began = time.monotonic()
    async for item in items:
        page.append(item)
        if len(page) == PAGE or time.monotonic() - began > SOON:
            break
    return page


async def _ended(client: Client) -> None:
    """A list that nobody read to its end still has its answer open."""
    await asyncio.get_running_loop().shutdown_asyncgens()
    await client.close()


async def _first(found: AsyncGenerator[OperationStatus], limit: int) -> list[Shown]:
    told: list[Shown] = []
    async with aclosing(found):
        async for status in found:
            told.append(shown(status))
            if len(told) == limit:
                break
    return told
