"""Server-sent events: one look at the database for all who watch the same operation here.

A reader is no more than a position. What it is behind the others it reads in pages from the
database, at the speed of its own connection; so a stream can go on at any replica.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, replace

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from lakebed.database.transaction import reading
from lakebed.errors import LedgerError, UnknownOperation
from lakebed.executor.channel import CHUNK, Channel, Reader, frame, frame_of
from lakebed.operations.ledger import Ledger
from lakebed.operations.news import News, newest_of, news_of, page_of

POLL = 0.25
"""Seconds between two looks at what is new."""
SETTLE = 0.05
"""Seconds after which an operation that seems to be over is looked at again: the last word of its
process may still come."""
PING = 15.0
"""Seconds of silence after which a comment is sent, so that nobody between takes it for dead."""
LOOK = 60.0
"""Seconds between two looks at whether a reader may still read."""
RECENT = 50
"""Events before the newest with which a channel begins."""
HELD = 16 * 1024 * 1024
"""Bytes of frames that are held for all readers of a replica together."""
AWAY = 1.0
"""Seconds between two looks at a database that is away."""
STILL_HERE = b": still here\n\n"
LEAST = 32 * 1024
"""Bytes of them for one operation, however many are watched."""
May = Callable[[], Awaitable[bool]]
_log = logging.getLogger(__name__)


async def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Look:
    """What the database says of one channel. `since` is where a new channel begins."""

    since: int
    news: News
    summary: str | None = None


class Streams:
    """All streams of a replica. `run` feeds them until `close`."""

    def __init__(
        self, ledger: Callable[[], Ledger], ended: Callable[[str], None] = lambda _: None
    ) -> None:
        """`ended` is told of an operation before its readers are."""
        self._ledger, self._ended = ledger, ended
        self._channels: dict[str, Channel] = {}
        self._asked = asyncio.Event()
        self._is_closed = False

    @property
    def open(self) -> int:
        return sum(len(channel.readers) for channel in self._channels.values())

    def response(self, operation_id: str, after: int, may: May = _always) -> "EventStream":
        """The events after number `after`, as they come, until the operation is over, or its
        reader `may` read no more."""
        reader = Reader()
        return EventStream(reader, self._frames(operation_id, after, reader, may))

    def close(self) -> None:
        """End every stream: their clients go on at another replica."""
        self._is_closed = True
        self._asked.set()
        for channel in self._channels.values():
            channel.wake()

    async def run(self) -> None:
        while not self._is_closed:
            self._asked.clear()
            began = time.monotonic()
            due = [channel for channel in self._followed() if channel.due <= began]
            if due:
                await self._look(due)
            # Where there is much to look at, looking takes half of the time at the most.
            await self._pause(min(AWAY, 2 * (time.monotonic() - began)))

    async def _pause(self, least: float) -> None:
        await asyncio.sleep(least)
        next_due = min((channel.due for channel in self._followed()), default=None)
        timeout = None if next_due is None else max(0.0, next_due - time.monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._asked.wait()

    def _followed(self) -> Iterator[Channel]:
        """Those of which there may be more: one that is over may have readers that are slow."""
        return (channel for channel in self._channels.values() if channel.summary is None)

    async def _look(self, due: Sequence[Channel]) -> None:
        looks: Sequence[Look | None]
        try:
            looks = await asyncio.to_thread(self._looks, due)
        except Exception as error:  # whatever it is must not leave all of them waiting for ever
            _log.warning("streams wait: %s", error)
            looks = [None] * len(due)
        now, most = time.monotonic(), max(LEAST, HELD // len(self._channels or due))
        for channel, look in zip(due, looks, strict=True):
            if look and look.summary is not None:
                self._ended(channel.operation_id)
            _take(channel, look, now, most)

    def _looks(self, channels: Sequence[Channel]) -> Sequence[Look]:
        """In a thread: it only reads of the channels what the loop does not change meanwhile."""
        ledger = self._ledger()
        found: list[Look] = []
        now = ledger.now()
        with reading(ledger.engine) as connection:
            for channel in channels:
                since = channel.newest
                if not channel.is_begun:
                    newest = newest_of(connection, channel.operation_id)
                    since = min(newest, max(channel.asked, newest - RECENT))
                found.append(Look(since, news_of(connection, channel.operation_id, since, now)))
        return [
            replace(look, summary=_summary(ledger, channel.operation_id))
            if look.news.is_over and channel.may_be_over
            else look
            for channel, look in zip(channels, found, strict=True)
        ]

    def _channel(self, operation_id: str, after: int) -> Channel:
        channel = self._channels.get(operation_id)
        if channel is None or channel.summary is not None:  # that may have been resumed since
            channel = self._channels[operation_id] = Channel(operation_id, after)
            self._asked.set()
        return channel

    async def _frames(
        self, operation_id: str, after: int, reader: Reader, may: May
    ) -> AsyncGenerator[bytes, None]:
        channel = self._channel(operation_id, after)
        channel.readers.add(reader)
        pings = channel.pings
        due = time.monotonic() + LOOK
        try:
            while not (self._is_closed or reader.is_gone):
                if time.monotonic() > due:
                    if not await may():
                        return
                    due = time.monotonic() + LOOK
                is_behind = after < channel.since
                after, found = (
                    await self._older(channel, after) if is_behind else channel.after(after)
                )
                if found:
                    pings = channel.pings
                    for start in range(0, len(found), CHUNK):
                        yield found[start : start + CHUNK]
                elif is_behind:
                    continue
                elif channel.summary is not None:
                    if channel.summary:
                        # No number of its own: an operation that is resumed goes on with the next.
                        yield frame(after, "summary", channel.summary)
                    return
                elif pings != channel.pings:
                    pings = channel.pings
                    yield STILL_HERE
                else:
                    await reader.wait()
        finally:
            channel.readers.discard(reader)
            if not channel.readers and self._channels.get(operation_id) is channel:
                del self._channels[operation_id]

    async def _older(self, channel: Channel, after: int) -> tuple[int, bytes]:
        """What the channel does not hold any more."""
        try:
            events = await asyncio.to_thread(
                page_of, self._ledger().engine, channel.operation_id, after
            )
        except LedgerError as error:
            _log.warning("a stream waits: %s", error)
            await asyncio.sleep(AWAY)
            return after, b""
        if not events:  # forgotten: there are none before those of the channel
            return max(after, channel.since), b""
        return events[-1].number, b"".join(map(frame_of, events))


class EventStream(StreamingResponse):
    """Reads only as fast as its client does; ends as soon as that is gone."""

    media_type = "text/event-stream"

    def __init__(self, reader: Reader, frames: AsyncGenerator[bytes, None]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(frames, headers=headers)
        self._reader, self._frames = reader, frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        watching = asyncio.create_task(self._watch(receive))
        try:
            async with aclosing(self._frames) as frames:
                async for chunk in frames:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            watching.cancel()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._reader.leave()


def _take(channel: Channel, look: Look | None, now: float, most: int) -> None:
    """Pass on what was found, and say when to look again."""
    if look is None:
        channel.due = now + AWAY
        return
    if not channel.is_begun:
        channel.begin(look.since)
    news = look.news
    channel.add(news.events, most)
    channel.summary = look.summary
    channel.may_be_over = news.is_over
    channel.due = now + (SETTLE if news.is_over else POLL)
    if len(news.events) > 1:  # there may be more at once
        channel.due = now
    if news.events or look.summary is not None:
        channel.spoken = now
        channel.wake()
    elif now - channel.spoken >= PING:
        channel.spoken = now
        channel.pings += 1
        channel.wake()


def _summary(ledger: Ledger, operation_id: str) -> str:
    """Empty where it was pruned meanwhile."""
    try:
        return json.dumps({"event": "summary", **asdict(ledger.summary(operation_id))})
    except UnknownOperation:
        return ""
