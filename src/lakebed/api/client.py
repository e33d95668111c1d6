"""The typed client of an executor, for asyncio programs.

async with lakebed.Client("https://lakebed.example") as client:
    accepted = await client.sync(SyncRequest(source="a:raw/", destination="lake:bronze/"))
    async for event in client.events(accepted.operation_id):
        print(event.kind, event.data)
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Self, TypeVar

import httpx2
from pydantic import BaseModel, JsonValue, SecretStr, TypeAdapter, ValidationError

from lakebed.api import endpoints
from lakebed.api.answers import (
    Accepted,
    BatchAccepted,
    BatchStatus,
    ObjectStatus,
    OperationStatus,
)
from lakebed.api.connection import Connection, Query, asked
from lakebed.api.endpoints import Endpoint
from lakebed.api.events import SUMMARY, Event
from lakebed.api.infrastructure import InfrastructureStatus
from lakebed.api.lines import lines
from lakebed.api.pauses import LONGEST, Pauses
from lakebed.api.planned import PlanLine, PlannedObject, PlanProblem, PlanSummary
from lakebed.api.problems import error_from
from lakebed.api.requests import BatchRequest, NewBucket, PlanRequest, SyncRequest, VerifyRequest
from lakebed.api.storage import (
    BucketCapabilities,
    BucketCreated,
    BucketList,
    StorageUsage,
    StoreList,
)
from lakebed.errors import DurationReached, ExecutorError, ExecutorUnreachable
from lakebed.model.operation import Kind, ObjectState, OperationState
from lakebed.report.formats import Format

A = TypeVar("A", bound=BaseModel)
T = TypeVar("T")
PATIENCE = 60.0
"""Seconds for which an executor that is away, or busy, is asked again."""
PAGE = 500
"""Of a list, how much is asked for at once."""
MOST_EVENT = 16 * 1024**2
"""Bytes of one event: a thousand objects with the longest keys, and room."""
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
_LINE: TypeAdapter[PlannedObject | PlanSummary | PlanProblem] = TypeAdapter(PlanLine)


class Client:
    """Entered around its use, in one event loop.

    `url` and `token` are LAKEBED_EXECUTOR_URL and LAKEBED_EXECUTOR_TOKEN where they are not given;
    a token may be `env:NAME` or `file:PATH`. Errors are those of `lakebed.errors` that the executor
    raised; ExecutorUnreachable where it has been away, or busy, for `patience` seconds. What can be
    asked twice without harm is asked again by itself until then: every POST that starts something
    has an idempotency key, made here where none is given.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | SecretStr | None = None,
        patience: float = PATIENCE,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = Connection(url, token, patience, transport)

    @property
    def url(self) -> str:
        return self._connection.url

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._connection.close()

    async def sync(self, request: SyncRequest, *, idempotency_key: str | None = None) -> Accepted:
        """Start a sync, or find the one that the same key started."""
        return await self._start(endpoints.SYNC, request, idempotency_key)

    async def sync_batch(
        self, request: BatchRequest, *, idempotency_key: str | None = None
    ) -> BatchAccepted:
        """Start several syncs, all or none."""
        return await self._start(endpoints.BATCH, request, idempotency_key)

    async def verify(
        self, request: VerifyRequest, *, idempotency_key: str | None = None
    ) -> Accepted:
        """Prove a destination against its source; copies nothing."""
        return await self._start(endpoints.VERIFY, request, idempotency_key)

    async def plan(self, request: PlanRequest) -> AsyncGenerator[PlannedObject | PlanSummary]:
        """What a sync would do, object by object, and the summary last; nothing is written."""
        planning = asked(endpoints.PLAN, body=request)
        async with self._connection.opened(planning) as answer:
            async for line in lines(answer.aiter_bytes()):
                told = _read_line(line)
                if isinstance(told, PlanProblem):
                    raise error_from(told)
                yield told
                if isinstance(told, PlanSummary):
                    return
        raise ExecutorUnreachable("the plan broke off before its end", subject=self.url)

    def operations(
        self,
        *,
        state: OperationState | None = None,
        kind: Kind | None = None,
        batch: str | None = None,
        mine: bool = False,
        page_size: int = PAGE,
    ) -> AsyncGenerator[OperationStatus]:
        """Operations, the newest first, fetched a page at a time."""

        async def page(after: str | None) -> tuple[list[OperationStatus], str | None]:
            query = {"state": state, "kind": kind, "batch": batch, "mine": mine or None}
            found = await self._ask(
                endpoints.OPERATIONS, query={**query, "limit": page_size, "after": after}
            )
            return found.operations, found.next

        return _pages(page)

    async def operation(self, operation_id: str) -> OperationStatus:
        """How an operation stands; of its id, the beginning will do."""
        return await self._ask(endpoints.STATUS, path=_of(operation_id))

    async def batch(self, batch_id: str) -> BatchStatus:
        """How the operations of a batch stand together."""
        return await self._ask(endpoints.BATCH_STATUS, path={"batch_id": batch_id})

    def objects(
        self, operation_id: str, *, state: ObjectState | None = None
    ) -> AsyncGenerator[ObjectStatus]:
        """The objects that an operation acted on, in key order, fetched a page at a time."""

        async def page(after: str | None) -> tuple[list[ObjectStatus], str | None]:
            query: Query = {"state": state, "limit": PAGE, "after": after}
            found = await self._ask(endpoints.OBJECTS, query=query, path=_of(operation_id))
            return found.objects, found.next

        return _pages(page)

    async def events(
        self, operation_id: str, *, after: int = 0, deadline: float | None = None
    ) -> AsyncGenerator[Event]:
        """What happens in an operation, after event number `after`, until its `summary`.

        Goes on where it was when the connection breaks. Raises DurationReached once `deadline`
        seconds have passed: the operation itself goes on.
        """
        until = None if deadline is None else time.monotonic() + deadline
        pauses = Pauses(self._connection.patience, most=1000)
        while True:
            async with aclosing(self._stream(operation_id, after, pauses)) as stream:
                try:
                    while (event := await _within(until, anext(stream, None))) is not None:
                        after = event.number
                        pauses.restart()
                        yield event
                        if event.kind == SUMMARY:
                            return
                    lost = ExecutorUnreachable("the events broke off", subject=self.url)
                except ExecutorUnreachable as error:
                    lost = error
            if not await _within(until, pauses.take()):
                raise lost

    async def _stream(self, operation_id: str, after: int, pauses: Pauses) -> AsyncGenerator[Event]:
        headers = {"Last-Event-ID": str(after)} if after else {}
        streaming = asked(endpoints.EVENTS, headers=headers, path=_of(operation_id))
        async with self._connection.opened(streaming) as answer:
            began = time.monotonic()
            try:
                async for told in httpx2.EventSource(answer, max_event_size=MOST_EVENT):
                    yield Event(int(told.id), told.event, _JSON.validate_json(told.data))
            finally:
                if time.monotonic() - began > LONGEST:
                    pauses.restart()  # it was there, and there was nothing to tell

    async def report(self, operation_id: str, form: Format = Format.JSON) -> AsyncGenerator[str]:
        """The lines of an operation's report, as it is now."""
        telling = asked(endpoints.REPORT, query={"format": form}, path=_of(operation_id))
        async with self._connection.opened(telling) as answer:
            async for line in lines(answer.aiter_bytes()):
                yield line.decode()

    async def cancel(self, operation_id: str) -> OperationStatus:
        """Stop an operation for good; how it stands at this moment."""
        return await self._ask(endpoints.CANCEL, path=_of(operation_id))

    async def resume(self, operation_id: str) -> OperationStatus:
        """Go on where an operation stopped; its `events_url` names the first event to wait for."""
        return await self._ask(endpoints.RESUME, path=_of(operation_id))

    async def stores(self) -> StoreList:
        """The stores that the caller may use, and what their buckets can do."""
        return await self._ask(endpoints.STORES)

    async def probe(self, store: str, bucket: str) -> BucketCapabilities:
        """Find out anew what a bucket can do, by canary objects."""
        return await self._ask(endpoints.PROBE, query={"bucket": bucket}, path={"store": store})

    async def buckets(self, store: str = "") -> BucketList:
        """The buckets of a store; of the default one where no name is given."""
        return await self._ask(endpoints.BUCKETS, query={"store": store})

    async def create_bucket(self, bucket: NewBucket) -> BucketCreated:
        """Make a bucket; one that is there already, and ours, is no error."""
        return await self._ask(endpoints.CREATE_BUCKET, body=bucket)

    async def usage(self, bucket: str, *, store: str = "", prefix: str = "") -> StorageUsage:
        """How many objects and bytes are in a place."""
        query = {"bucket": bucket, "store": store, "prefix": prefix}
        return await self._ask(endpoints.USAGE, query=query)

    async def status(self) -> InfrastructureStatus:
        """How the service and what it needs are."""
        return await self._ask(endpoints.INFRASTRUCTURE)

    async def _start(self, endpoint: Endpoint[A], body: BaseModel, key: str | None) -> A:
        return await self._ask(endpoint, body=body, key=key or secrets.token_hex(16))

    async def _ask(
        self,
        endpoint: Endpoint[A],
        *,
        body: BaseModel | None = None,
        query: Query | None = None,
        key: str | None = None,
        path: Mapping[str, str] | None = None,
    ) -> A:
        assert endpoint.answer is not None, "a stream is read by lines"
        request = asked(endpoint, body=body, query=query, key=key, path=path)
        async with self._connection.opened(request) as answer:
            content = await answer.aread()
        try:
            return endpoint.answer.model_validate_json(content)
        except ValidationError as error:
            raise self._not_understood(error) from None

    def _not_understood(self, error: ValidationError) -> ExecutorError:
        (first, *_) = error.errors(include_input=False)
        where = ".".join(map(str, first["loc"]))
        return ExecutorError(
            f"its answer is not understood: {where}: {first['msg']}",
            subject=self.url,
            advice="is it an executor, and of this version?",
        )


Page = Callable[[str | None], Awaitable[tuple[list[T], str | None]]]


async def _pages(page: Page[T]) -> AsyncGenerator[T]:
    after: str | None = None
    while True:
        found, after = await page(after)
        for one in found:
            yield one
        if after is None:
            return


async def _within(until: float | None, work: Awaitable[T]) -> T:
    """Raises DurationReached where it takes longer; the time between two calls counts too."""
    left = None if until is None else max(0.0, until - time.monotonic())
    try:
        async with asyncio.timeout(left):
            return await work
    except TimeoutError:
        raise DurationReached("the deadline is over, and the operation goes on") from None


def _of(operation_id: str) -> dict[str, str]:
    return {"operation_id": operation_id}


def _read_line(line: bytes) -> PlannedObject | PlanSummary | PlanProblem:
    try:
        return _LINE.validate_json(line)
    except ValidationError:
        raise ExecutorError("a line of the plan is not understood") from None
