"""Tries a request again where that can help: full jitter, Retry-After honoured, bodies resumed.

All of a store's requests share one budget for it, so that a sick store is not hammered. Being
throttled costs none of it: how fast a store is asked is the business of its pace.
"""

import logging
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from lakebed.errors import (
    LakebedError,
    PreconditionFailed,
    SourceChanged,
    StoreError,
    StoreUnreachable,
    Throttled,
)
from lakebed.model.checksum import Checksum
from lakebed.model.objects import Attributes, Head, Part, Span, Write, Written
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import NO_ATTRIBUTES, Body, Buffer, Sink, Store
from lakebed.store.pace.pace import LONGEST_PAUSE, Pace
from lakebed.store.wrappers.forwarding import Forwarding

T = TypeVar("T")
_log = logging.getLogger("lakebed.store")

ASKED_TIMES = 6
"""How many times the longest pause of our own a store may ask us to wait: 120 s, as a Retry-After
has it where a rate is counted by the minute. Coming back before only prolongs it."""
PATIENCE = 120.0
"""Seconds for which a store may throttle one request while it answers others, and for which it may
throttle all of them: one without a quorum of its drives answers 503 SlowDown too, for ever."""
AWAY = 30.0
"""Seconds for which one that has answered may be gone: so long it may take to start again."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and after what pause. Times in seconds.

    Full jitter: the pause is drawn from zero to the bound, which doubles ("Exponential Backoff
    And Jitter", AWS Architecture Blog, 2015: the least work for the same completion time).
    """

    retries: int = 5
    first: float = 0.1
    longest: float = 20.0

    def pause(self, attempt: int, asked: float | None, draw: Callable[[], float]) -> float:
        """Before trying again after failed attempt number `attempt`, from 0."""
        if asked is not None:
            return min(asked, self.longest * ASKED_TIMES)
        return draw() * min(self.longest, self.first * 2.0**attempt)


class Retry(Forwarding):
    """`retried` is told each time that a request is tried again."""

    def __init__(
        self,
        inner: Store,
        backoff: Backoff,
        cancellation: Cancellation,
        retried: Callable[[str, LakebedError], None] = lambda verb, error: None,
        draw: Callable[[], float] = random.random,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(inner)
        self._backoff = backoff
        self._cancellation = cancellation
        self._retried = retried
        self._draw = draw
        self._pace = pace

    def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
        attempt = waited = 0
        failing: float | None = None
        while True:
            try:
                return action()
            except LakebedError as error:
                if not error.retryable:
                    raise
                now = self._pace.clock() if self._pace else 0.0
                failing = now if failing is None else failing
                pause = self._backoff.pause(attempt + waited, _asked(error), self._draw)
                if self._is_away(error):
                    waited += 1
                elif not self._is_spared(error, now - failing, _asked(error) or 0.0):
                    attempt += 1
                    if attempt > self._backoff.retries or not self._may_retry(subject):
                        raise
                self._retried(verb, error)
            self._cancellation.wait(pause)

    def _is_away(self, error: LakebedError) -> bool:
        """Whether it costs no retry: a store that has answered before is gone, not for long yet."""
        if not isinstance(error, StoreUnreachable) or error.connected or not self._backoff.retries:
            return False
        silence = self._pace.silence if self._pace else None
        return silence is not None and silence < AWAY

    def _is_spared(self, error: LakebedError, seconds: float, asked: float) -> bool:
        """Whether it costs no retry: a request was throttled that has failed for `seconds`, by a
        store that answers others, and that `asked` for a pause of so many.

        Raises StoreUnreachable once the store has throttled everything for too long: longer than
        the pause that it asks for, in which nobody could hear of it.
        """
        if self._pace is None or not isinstance(error, Throttled):
            return False
        silence = self._pace.silence
        if silence is not None and silence > PATIENCE + min(asked, LONGEST_PAUSE):
            raise StoreUnreachable(
                f"nothing but throttling for {silence:.0f} s: {error.what}",
                subject=self._inner.name,
                advice="is the store overloaded, or too many of its drives away?",
            ) from error
        return silence is not None and seconds < PATIENCE

    def _may_retry(self, subject: str) -> bool:
        if self._pace is None or self._pace.may_retry():
            return True
        _log.warning("%s: not tried again, the store fails too often", subject)
        return False

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        """As the contract says; after a failure it asks for the bytes that are still missing,
        of the same revision only."""
        resumed = _Resumed(self._inner, bucket, key, sink, span, if_match)
        return self._call("get", self._on(bucket, key), resumed.attempt)

    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        """As the contract says; what the body raises is raised, and not tried again here."""
        sent = _unrepeated(body)
        try:
            return super().put(bucket, key, sent, attributes=attributes, sha256=sha256, write=write)
        except _BodyFailed as failed:
            raise failed.error from None

    def upload_part(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        number: int,
        body: Body,
        *,
        checksum: Checksum | None = None,
    ) -> Part:
        """As `put`."""
        sent = _unrepeated(body)
        try:
            return super().upload_part(bucket, key, upload_id, number, sent, checksum=checksum)
        except _BodyFailed as failed:
            raise failed.error from None


def _asked(error: LakebedError) -> float | None:
    return error.retry_after if isinstance(error, StoreError) else None


class _BodyFailed(Exception):
    """What a body raised, on its way past the retries of the store that it was sent to.

    A body that is read from another store has been tried again there: both would multiply.
    """

    def __init__(self, error: LakebedError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class _Unrepeated:
    """A body whose own errors are marked as such."""

    body: Body

    @property
    def size(self) -> int:
        return self.body.size

    def chunks(self) -> Iterator[bytes]:
        try:
            yield from self.body.chunks()
        except LakebedError as error:
            raise _BodyFailed(error) from None


def _unrepeated(body: Body) -> Body:
    """The body as it is where it is in memory: it cannot fail, and is sent in one piece."""
    return body if isinstance(body, Buffer) else _Unrepeated(body)


class _Resumed:
    """One GET over several attempts: what came stays, and only of one revision."""

    def __init__(
        self,
        store: Store,
        bucket: str,
        key: str,
        sink: Sink,
        span: Span | None,
        if_match: str | None,
    ) -> None:
        self._store, self._bucket, self._key = store, bucket, key
        self._sink, self._span, self._if_match = sink, span, if_match
        self._came = 0

    def _take(self, data: bytes) -> None:
        self._sink(data)
        self._came += len(data)

    def attempt(self) -> Head:
        if self._came == 0:
            return self._store.get(
                self._bucket, self._key, self._take, span=self._span, if_match=self._if_match
            )
        if self._if_match is None:
            raise SourceChanged(
                "the body was cut short and cannot be resumed without a revision",
                subject=f"{self._bucket}/{self._key}",
            )
        return self._rest(self._if_match)

    def _rest(self, revision: str) -> Head:
        if self._span is not None:
            end = self._span.end
        else:
            head = self._store.head(self._bucket, self._key)
            if head.etag != revision:
                raise PreconditionFailed(
                    f"the object is now {head.etag}, not {revision}",
                    subject=f"{self._store.name}:{self._bucket}/{self._key}",
                )
            end = head.size
            if self._came == end:
                return head
        start = (self._span.start if self._span is not None else 0) + self._came
        if start >= end:
            return self._store.head(self._bucket, self._key)
        return self._store.get(
            self._bucket, self._key, self._take, span=Span(start, end), if_match=revision
        )
