"""A bounded set of threads: nothing that began in the scope outlives it."""

import threading
from functools import partial

import pytest

from lakebed.errors import Cancelled, Interrupted, LimitReached, StoreUnreachable
from lakebed.store.cancellation import Cancellation
from lakebed.transfer.workers import Workers

PATIENCE = 30.0


def test_everything_is_done_when_the_scope_is_left() -> None:
    done: list[int] = []
    with Workers(2, Cancellation()) as workers:
        for number in range(20):
            workers.submit(partial(done.append, number))
    assert sorted(done) == list(range(20))


def test_the_first_defect_is_raised_and_the_rest_is_not_begun() -> None:
    cancellation = Cancellation()
    done: list[int] = []

    def break_down() -> None:
        raise RuntimeError("a defect")

    def run() -> None:
        with Workers(1, cancellation) as workers:
            workers.submit(break_down)
            for number in range(100):
                workers.submit(partial(done.append, number))

    with pytest.raises(RuntimeError, match="a defect"):
        run()
    assert done == []
    assert isinstance(cancellation.reason, Interrupted)


def test_where_no_thread_is_to_be_had_nobody_waits_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def run() -> None:
        with Workers(2, Cancellation()) as workers:
            workers.submit(lambda: None)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        run()


def test_an_error_of_ours_is_the_reason_for_which_all_stops() -> None:
    cancellation = Cancellation()

    def refuse() -> None:
        raise StoreUnreachable("gone")

    def run() -> None:
        with Workers(1, cancellation) as workers:
            workers.submit(refuse)

    with pytest.raises(StoreUnreachable):
        run()


@pytest.mark.parametrize(
    ("error", "reason"),
    [(LimitReached("enough"), LimitReached), (KeyboardInterrupt(), Interrupted)],
)
def test_an_error_in_the_scope_stops_what_is_under_way_and_is_raised(
    error: BaseException, reason: type[Exception]
) -> None:
    cancellation = Cancellation()
    stopped = threading.Event()

    def wait() -> None:
        try:
            cancellation.wait(PATIENCE)
        finally:
            stopped.set()

    def run() -> None:
        with Workers(1, cancellation) as workers:
            workers.submit(wait)
            raise error

    with pytest.raises(type(error)):
        run()
    assert stopped.is_set()
    assert isinstance(cancellation.reason, reason)


class StopsAtThirdLook(Cancellation):
    """Stopped while somebody looks at it for the third time."""

    looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.looks == 3:
            self.stop(Cancelled("cancelled"))
        super().check()


def test_who_waits_for_a_free_place_hears_the_cancellation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lakebed.transfer.workers._POLL", 0.001)
    release = threading.Event()

    def hang() -> None:
        assert release.wait(PATIENCE)

    def run() -> None:
        with Workers(1, StopsAtThirdLook()) as workers:
            try:
                for _ in range(3):  # one hangs, one waits behind it, and one finds no place
                    workers.submit(hang)
            finally:
                release.set()

    with pytest.raises(Cancelled):
        run()


def test_the_width_is_followed_while_it_grows_and_shrinks() -> None:
    width, met = 2, threading.Barrier(6)
    release = threading.Event()
    running = threading.Semaphore(0)

    def meet() -> None:
        met.wait(PATIENCE)

    def hang() -> None:
        running.release()
        assert release.wait(PATIENCE)

    with Workers(lambda: width, Cancellation()) as workers:
        width = 6
        for _ in range(6):  # none of them ends before all six run
            workers.submit(meet)
        width = 2
        for _ in range(4):
            workers.submit(hang)
        for _ in range(2):
            assert running.acquire(timeout=PATIENCE)
        assert not running.acquire(blocking=False)
        release.set()


def test_threads_are_begun_as_they_are_needed() -> None:
    with Workers(lambda: 500, Cancellation()) as workers:
        workers.submit(lambda: None)
        lanes = [t for t in threading.enumerate() if t.name.startswith("lakebed-lane")]
        assert len(lanes) <= 1
