"""A store that misbehaves on a schedule, for scenarios about what the engine makes of it.

    store = Faulty(MemoryStore(buckets=["lake"]))
    store.inject(Throttle(retry_after=2), "put", key="a.zip", nth=2)
    store.inject(Flip(at=7), "get", times=None)          # each get, for ever
    ...
    assert store.injected == [Injected("put", "lake", "a.zip", Throttle(retry_after=2))]

Each fault is a small value; a new one overrides what it needs of `Fault`.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from lakebed.errors import (
    AccessDenied,
    BodyTruncated,
    LakebedError,
    ListingRefused,
    StoreFault,
    StoreUnreachable,
    Throttled,
)
from lakebed.model.checksum import Checksum
from lakebed.model.objects import Attributes, Head, Part, Span, Write, Written
from lakebed.store.contract import NO_ATTRIBUTES, PAGE_LIMIT, Body, Member, Page, Sink, Store
from lakebed.store.wrappers.forwarding import Forwarding

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds after which a held call gives up, so that a broken test ends."""


class Fault:
    """No fault. Each method is handed what passes through the store, and may spoil it."""

    def around(self, subject: str, action: Callable[[], T]) -> T:
        """Make the call, or raise before or after it."""
        return action()

    def sink(self, sink: Sink) -> Sink:
        """What takes the bytes of a get."""
        return sink

    def body(self, body: Body) -> Body:
        """What is sent by a put or an upload_part."""
        return body

    def members(self, members: Sequence[Member]) -> Sequence[Member]:
        """What is sent by a put_many."""
        return members

    def page(self, page: Page, token: str | None) -> Page:
        """What a listing that was asked for `token` answers."""
        return page


# --- refusals ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refuse(Fault):
    """Raise an error before the store acts, or after it (`acted`)."""

    error: LakebedError
    acted: bool = False

    def around(self, subject: str, action: Callable[[], T]) -> T:
        if self.acted:
            action()
        raise self.error


@dataclass(frozen=True)
class Drop(Fault):
    """The connection breaks before the store acts: nothing happened."""

    def around(self, subject: str, action: Callable[[], T]) -> T:
        raise StoreUnreachable("the connection was dropped", subject=subject)


@dataclass(frozen=True)
class LoseAck(Fault):
    """The store acts, and its answer never arrives (put, complete_upload, delete, copy …)."""

    def around(self, subject: str, action: Callable[[], T]) -> T:
        action()
        raise StoreUnreachable("the answer was lost", subject=subject)


@dataclass(frozen=True)
class Throttle(Fault):
    """503, with a Retry-After of so many seconds where one is given."""

    retry_after: float | None = None

    def around(self, subject: str, action: Callable[[], T]) -> T:
        raise Throttled("503 SlowDown", subject=subject, retry_after=self.retry_after)


@dataclass(frozen=True)
class Fail(Fault):
    """500."""

    def around(self, subject: str, action: Callable[[], T]) -> T:
        raise StoreFault("500 InternalError", subject=subject)


@dataclass(frozen=True)
class Deny(Fault):
    """403."""

    def around(self, subject: str, action: Callable[[], T]) -> T:
        raise AccessDenied("403 AccessDenied", subject=subject)


@dataclass(frozen=True)
class Mislay(Fault):
    """Of the members of a put_many that `key` satisfies none arrives, and the store says nothing;
    with other `data`, each arrives with these."""

    key: Callable[[str], bool]
    data: bytes | None = None

    def members(self, members: Sequence[Member]) -> Sequence[Member]:
        if self.data is None:
            return [member for member in members if not self.key(member.key)]
        spoiled = (self.data,)
        return [replace(m, pieces=spoiled) if self.key(m.key) else m for m in members]


# --- bytes ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truncate(Fault):
    """The connection breaks after `at` bytes: a get ends short, a put leaves nothing."""

    at: int = 0

    def sink(self, sink: Sink) -> Sink:
        left = self.at

        def take(chunk: bytes) -> None:
            nonlocal left
            if chunk[:left]:
                sink(chunk[:left])
            if len(chunk) > left:
                raise BodyTruncated(f"the body ended after {self.at} bytes")
            left -= len(chunk)

        return take

    def body(self, body: Body) -> Body:
        return _Spoiled(body, self._cut)

    def _cut(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        left = self.at
        for chunk in chunks:
            yield chunk[:left]
            if len(chunk) > left:
                raise StoreUnreachable(f"the connection was dropped after {self.at} bytes")
            left -= len(chunk)


@dataclass(frozen=True)
class Flip(Fault):
    """One bit of the byte at offset `at` turns over on its way, to us (get) or from us (put)."""

    at: int = 0

    def sink(self, sink: Sink) -> Sink:
        left = self.at

        def take(chunk: bytes) -> None:
            nonlocal left
            sink(_flipped(chunk, left))
            left -= len(chunk)

        return take

    def body(self, body: Body) -> Body:
        return _Spoiled(body, self._flip)

    def _flip(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        left = self.at
        for chunk in chunks:
            yield _flipped(chunk, left)
            left -= len(chunk)


def _flipped(chunk: bytes, at: int) -> bytes:
    if not 0 <= at < len(chunk):
        return chunk
    return chunk[:at] + bytes([chunk[at] ^ 1]) + chunk[at + 1 :]


@dataclass(frozen=True)
class _Spoiled:
    """A body whose chunks are spoiled anew each time they are asked for."""

    inner: Body
    spoil: Callable[[Iterator[bytes]], Iterator[bytes]]

    @property
    def size(self) -> int:
        return self.inner.size

    def chunks(self) -> Iterator[bytes]:
        return self.spoil(self.inner.chunks())


# --- time ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hold(Fault):
    """The call stands still until the test releases it: slow, without a clock."""

    reached: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    def around(self, subject: str, action: Callable[[], T]) -> T:
        self.reached.set()
        if not self.release.wait(PATIENCE):
            raise AssertionError(f"{subject} was never released")
        return action()


@dataclass(frozen=True)
class Change(Fault):
    """Something else happens just before the call: `Change(lambda: inner.put(…))`."""

    act: Callable[[], object]

    def around(self, subject: str, action: Callable[[], T]) -> T:
        self.act()
        return action()


@dataclass(frozen=True)
class ChangeAfter(Fault):
    """Something else happens just after the call, before its answer is seen."""

    act: Callable[[], object]

    def around(self, subject: str, action: Callable[[], T]) -> T:
        answer = action()
        self.act()
        return answer


# --- answers -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Retag(Fault):
    """The answer carries another ETag than the store has (head, get, put, copy, parts, pages)."""

    etag: str = "0" * 32

    def around(self, subject: str, action: Callable[[], T]) -> T:
        answer = action()
        if isinstance(answer, Head | Written | Part):
            return replace(answer, etag=self.etag)
        return answer

    def page(self, page: Page, token: str | None) -> Page:
        return replace(page, objects=tuple(replace(o, etag=self.etag) for o in page.objects))


@dataclass(frozen=True)
class HtmlPage(Fault):
    """A listing is answered by a proxy's HTML page with status 200."""

    def page(self, page: Page, token: str | None) -> Page:
        raise ListingRefused("the answer is no listing: its root is <html>")


@dataclass(frozen=True)
class CutPage(Fault):
    """A listing says that it is truncated and gives no token."""

    def page(self, page: Page, token: str | None) -> Page:
        raise ListingRefused("the listing is truncated and has no token")


@dataclass(frozen=True)
class Disorder(Fault):
    """A page comes in the opposite order."""

    def page(self, page: Page, token: str | None) -> Page:
        return replace(page, objects=page.objects[::-1])


@dataclass(frozen=True)
class RepeatToken(Fault):
    """A page gives the token again for which it was asked."""

    def page(self, page: Page, token: str | None) -> Page:
        return replace(page, token=token)


@dataclass(frozen=True)
class EmptyPage(Fault):
    """A page holds nothing, and says that more follows."""

    def page(self, page: Page, token: str | None) -> Page:
        return replace(page, objects=(), token=page.token or "more")


# --- the store -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Injected:
    """A fault that happened, and where."""

    verb: str
    bucket: str
    key: str
    fault: Fault


@dataclass
class _Plan:
    fault: Fault
    verb: str
    matches: Callable[[str], bool]
    nth: int
    times: int | None
    calls: int = 0

    def is_due(self, verb: str, key: str) -> bool:
        """Whether this call is one of those meant. Counts it where it matches."""
        if verb != self.verb or not self.matches(key):
            return False
        self.calls += 1
        return self.nth <= self.calls and (self.times is None or self.calls < self.nth + self.times)


class Faulty(Forwarding):
    """Hands every call on, but for those for which a fault is planned."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self._lock = threading.Lock()
        self._plans: list[_Plan] = []
        self.injected: list[Injected] = []
        self.calls: list[tuple[str, str, str]] = []
        """(verb, bucket, key or prefix) of each call, in the order in which they began."""

    def inject(
        self,
        fault: Fault,
        verb: str,
        key: str | Callable[[str], bool] | None = None,
        *,
        nth: int = 1,
        times: int | None = 1,
    ) -> None:
        """Plan a fault for the `nth` matching call (from 1) and the `times - 1` after it.

        `verb` is a method of the contract; `key` a full key (for a listing: its prefix), what a
        key must satisfy, or None for any; `times=None` goes on for ever. Where several plans
        meet in one call each counts it, and the one that was made first acts.
        """
        if not hasattr(Store, verb):
            raise AssertionError(f"the contract has no {verb}")
        matches = key if callable(key) else lambda found: key is None or found == key
        with self._lock:
            self._plans.append(_Plan(fault, verb, matches, nth, times))

    def heal(self) -> None:
        """Forget each plan; what was injected stays on record."""
        with self._lock:
            self._plans.clear()

    def count(self, verb: str, key: str | None = None) -> int:
        """How often this was called, faulty or not."""
        with self._lock:
            return sum(v == verb and key in (None, k) for v, _, k in self.calls)

    def _due(self, verb: str, bucket: str, key: str = "") -> Fault:
        with self._lock:
            self.calls.append((verb, bucket, key))
            due = [plan.fault for plan in self._plans if plan.is_due(verb, key)]
            if not due:
                return Fault()
            self.injected.append(Injected(verb, bucket, key, due[0]))
            return due[0]

    def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
        place = subject.removeprefix(self._inner.name).removeprefix(":")
        bucket, _, key = place.partition("/")
        return self._due(verb, bucket, key).around(subject, action)

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        fault = self._due("list_page", bucket, prefix)
        page = fault.around(
            self._on(bucket, prefix),
            lambda: self._inner.list_page(
                bucket, prefix, after=after, token=token, delimiter=delimiter, limit=limit
            ),
        )
        return fault.page(page, token)

    def get(
        self,
        bucket: str,
        key: str,
        sink: Sink,
        *,
        span: Span | None = None,
        if_match: str | None = None,
    ) -> Head:
        fault = self._due("get", bucket, key)
        return fault.around(
            self._on(bucket, key),
            lambda: self._inner.get(bucket, key, fault.sink(sink), span=span, if_match=if_match),
        )

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
        fault = self._due("put", bucket, key)
        return fault.around(
            self._on(bucket, key),
            lambda: self._inner.put(
                bucket, key, fault.body(body), attributes=attributes, sha256=sha256, write=write
            ),
        )

    def put_many(self, bucket: str, members: Sequence[Member]) -> None:
        fault = self._due("put_many", bucket, members[0].key)
        fault.around(
            self._on(bucket, members[0].key),
            lambda: self._inner.put_many(bucket, fault.members(members)),
        )

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
        fault = self._due("upload_part", bucket, key)
        return fault.around(
            self._on(bucket, key),
            lambda: self._inner.upload_part(
                bucket, key, upload_id, number, fault.body(body), checksum=checksum
            ),
        )
