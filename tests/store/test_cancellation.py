"""One word that stops everything, and the little time that is left to tidy up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lakebed.errors import Cancelled, Interrupted
from lakebed.store.cancellation import Cancellation

PATIENCE = 30.0


@pytest.fixture
def cancellation() -> Cancellation:
    return Cancellation()


def test_nothing_is_stopped_before_somebody_says_so(cancellation: Cancellation) -> None:
    cancellation.check()
    cancellation.wait(0)
    assert not cancellation.stopped


def test_the_first_reason_is_kept(cancellation: Cancellation) -> None:
    cancellation.stop(Cancelled("first"))
    cancellation.stop(Interrupted("second"))
    assert cancellation.stopped
    assert str(cancellation.reason) == "first"
    with pytest.raises(Cancelled, match="first"):
        cancellation.check()


def test_who_waits_hears_it_at_once(cancellation: Cancellation) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cancellation.wait, 10 * PATIENCE)
        cancellation.stop(Cancelled("stopped"))
        with pytest.raises(Cancelled):
            waiting.result(PATIENCE)


def test_every_thread_is_given_the_same_reason(cancellation: Cancellation) -> None:
    cancellation.stop(Cancelled("stopped"))
    with ThreadPoolExecutor(8) as pool:
        raised = [pool.submit(cancellation.check).exception(PATIENCE) for _ in range(50)]
    assert all(isinstance(error, Cancelled) and str(error) == "stopped" for error in raised)


def test_a_child_stops_with_its_parent_and_not_the_other_way_round(
    cancellation: Cancellation,
) -> None:
    first, second = cancellation.child(), cancellation.child()
    first.stop(Cancelled("one operation"))
    assert first.stopped
    assert not cancellation.stopped
    assert not second.stopped
    cancellation.stop(Interrupted("all of them"))
    assert str(second.reason) == "all of them"
    assert str(first.reason) == "one operation"


def test_a_child_of_what_is_stopped_is_born_stopped(cancellation: Cancellation) -> None:
    cancellation.stop(Cancelled("stopped"))
    assert cancellation.child().stopped


def test_who_tidies_up_goes_on_for_a_while_and_nobody_else(cancellation: Cancellation) -> None:
    cancellation.stop(Cancelled("stopped"))
    heard: list[bool] = []
    with cancellation.grace(PATIENCE):
        cancellation.check()
        cancellation.wait(0)
        other = threading.Thread(target=lambda: heard.append(cancellation.stopped))
        other.start()
        other.join(PATIENCE)
        assert not cancellation.stopped
    assert heard == [True]
    assert cancellation.stopped


def test_a_pause_is_one_to_who_tidies_up_too(cancellation: Cancellation) -> None:
    cancellation.stop(Cancelled("stopped"))
    began = time.monotonic()
    with cancellation.grace(PATIENCE):
        cancellation.wait(0.02)
    assert time.monotonic() - began >= 0.02


def test_the_time_to_tidy_up_ends(cancellation: Cancellation) -> None:
    cancellation.stop(Cancelled("stopped"))
    with cancellation.grace(-1), pytest.raises(Cancelled):
        cancellation.check()
