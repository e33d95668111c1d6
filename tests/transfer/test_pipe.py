"""Bytes between two threads: in order, few of them waiting, and an end for both sides."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.errors import Interrupted, SourceChanged, StoreFault
from lakebed.model.objects import Object, Span
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Sink
from lakebed.transfer.pipe import Pipe, Ranged
from lakebed.transfer.sides import Job
from tests.faults import Fail, Fault
from tests.transfer.engine import Engine
from tests.transfer.test_budget import PATIENCE, Watched

DATA = bytes(range(256)) * 2048  # eight chunks of the memory store


@settings(deadline=None, max_examples=30)
@given(st.lists(st.binary(min_size=1, max_size=9)), st.integers(1, 12))
def test_what_is_written_is_read_in_order(pieces: list[bytes], depth: int) -> None:
    pipe = Pipe(depth, Cancellation())

    def write() -> None:
        for piece in pieces:
            pipe.write(piece)
        pipe.end(None)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(write)
        read = list(iter(pipe.read, b""))
        done.result(PATIENCE)
    assert b"".join(read) == b"".join(pieces)


def test_small_writes_are_handed_over_together() -> None:
    pipe = Pipe(8, Cancellation())
    for byte in (b"a", b"b", b"c", b"d", b"e"):
        pipe.write(byte)
    pipe.end(None)
    assert [pipe.read(), pipe.read(), pipe.read()] == [b"abcd", b"e", b""]


def test_a_writer_waits_while_enough_is_waiting() -> None:
    cancellation = Watched()
    pipe = Pipe(4, cancellation)
    written: list[bytes] = []

    def write() -> None:
        for piece in (b"abc", b"def", b"gh"):
            pipe.write(piece)
            written.append(piece)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(write)
        assert cancellation.looked.acquire(timeout=PATIENCE)
        assert written == [b"abc", b"def"]
        assert pipe.read() == b"abc"
        done.result(PATIENCE)


def test_a_writer_that_nobody_reads_any_more_ends() -> None:
    cancellation = Watched()
    pipe = Pipe(1, cancellation)
    pipe.write(b"a")
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(pipe.write, b"b")
        assert cancellation.looked.acquire(timeout=PATIENCE)
        pipe.abandon()
        with pytest.raises(BrokenPipeError):
            done.result(PATIENCE)


def test_the_reader_gets_what_came_and_then_what_ended_the_writer() -> None:
    pipe = Pipe(10, Cancellation())
    pipe.write(b"a")
    pipe.end(StoreFault("500"))
    assert pipe.read() == b"a"
    with pytest.raises(StoreFault):
        pipe.read()


@pytest.mark.parametrize("side", ["read", "write"])
def test_both_sides_hear_the_cancellation_while_they_wait(side: str) -> None:
    cancellation = Watched()
    pipe = Pipe(1, cancellation)

    def act() -> None:
        if side == "read":
            pipe.read()
        pipe.write(b"b")

    if side == "write":
        pipe.write(b"a")
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(act)
        assert cancellation.looked.acquire(timeout=PATIENCE)
        cancellation.stop(Interrupted("stopped"))
        with pytest.raises(Interrupted):
            done.result(PATIENCE)


# --- a range of the source -----------------------------------------------------------------------


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.publish("a", DATA)
    return engine


def ranged(engine: Engine, span: Span, etag: str | None = None) -> Ranged:
    found = engine.held_source.list_page("public").objects[0]
    source = Object(found.key, found.size, etag or found.etag, datetime.now(UTC))
    return Ranged(engine.sides(), Job(source, "b/a"), span)


def readers() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "lakebed-reader"]


def test_each_attempt_reads_the_span_anew(engine: Engine) -> None:
    with ranged(engine, Span(3, 200_000)) as body:
        assert body.size == 200_000 - 3
        first = body.chunks()
        next(first)  # the first attempt fails half way, and is not even closed
        assert b"".join(body.chunks()) == DATA[3:200_000]
    assert readers() == []


def test_nobody_reads_any_more_when_the_body_is_left(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakebed.transfer.pipe.DEPTH", 1)
    with ranged(engine, Span(0, len(DATA))) as body:
        chunks = body.chunks()
        next(chunks)
        assert len(readers()) == 1
    assert readers() == []
    chunks.close()  # type: ignore[attr-defined]  # a generator, kept alive to here


def test_a_body_that_was_never_asked_for_reads_nothing(engine: Engine) -> None:
    with ranged(engine, Span(0, 1)):
        pass
    assert engine.source.count("get") == 0


def test_another_revision_is_a_changed_source(engine: Engine) -> None:
    with ranged(engine, Span(0, 1), etag="0" * 32) as body, pytest.raises(SourceChanged):
        list(body.chunks())


def test_what_ends_the_reading_ends_the_sending(engine: Engine) -> None:
    engine.source.inject(Fail(), "get", times=None)
    with ranged(engine, Span(0, 1)) as body, pytest.raises(StoreFault):
        list(body.chunks())


class FallsSilent(Fault):
    """The source sends one chunk, and the next only when the test lets it."""

    def __init__(self) -> None:
        self.release, self.readers = threading.Event(), list[threading.Thread]()

    def sink(self, sink: Sink) -> Sink:
        self.readers.append(threading.current_thread())
        came: list[bytes] = []

        def take(chunk: bytes) -> None:
            if came:
                assert self.release.wait(PATIENCE)
            came.append(chunk)
            sink(chunk)

        return take


def test_a_reader_whose_source_is_silent_is_not_waited_for_and_ends_by_itself(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakebed.transfer.pipe.DEPTH", 1)
    monkeypatch.setattr("lakebed.transfer.pipe._FAREWELL", 0.0)
    silent = FallsSilent()
    engine.source.inject(silent, "get")
    with ranged(engine, Span(0, len(DATA))) as body:
        next(iter(body.chunks()))
    assert [reader.is_alive() for reader in silent.readers] == [True]
    silent.release.set()
    silent.readers[0].join(PATIENCE)
    assert readers() == []


def test_a_writer_that_is_not_wanted_any_more_hears_it_with_its_next_byte() -> None:
    pipe = Pipe(1000, Cancellation())
    pipe.write(b"a")
    pipe.abandon()
    with pytest.raises(BrokenPipeError):
        pipe.write(b"b")
