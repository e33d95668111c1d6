"""SIGINT and SIGTERM: the process ends within five seconds, and the operation can be resumed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from lakebed.errors import Exit
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.gateway import HOLD, Answer, Asked, Choose, Gateway, pass_on, refusal
from tests.e2e.process import PATIENCE, Ended, Lakebed, Running
from tests.fixtures_stores import Served

WITHIN = 5.0
SIZE = 8 * 1024**2


@contextmanager
def before(served: Served, choose: Choose = pass_on, most: int | None = None) -> Iterator[Gateway]:
    address = urlsplit(served.endpoint)
    with Gateway((str(address.hostname), address.port or 0), choose, most) as opened:
        yield opened


def interrupted(running: Running, number: signal.Signals) -> Ended:
    running.signal(number)
    ended = running.end()
    assert ended.seconds < WITHIN
    assert ended.code == 128 + number
    assert "Traceback" not in ended.err
    return ended


def resumed(lakebed: Lakebed, operation: object) -> Ended:
    [kept] = lakebed("operations", "--json", "--state", "interrupted").events
    assert kept["operation_id"] == operation
    ended = lakebed("resume", str(operation), "--json")
    assert (ended.code, ended.summary["state"]) == (Exit.COMPLETED, "completed"), ended
    return ended


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_interrupts_and_a_resume_completes(
    lakebed: Lakebed, source: Bucket, destination: Bucket, number: signal.Signals
) -> None:
    content = pairs(300)
    source.fill(content)
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")

    with lakebed.started(*arguments, "--concurrency", "1") as running:
        running.until("copied", 20)
        ended = interrupted(running, number)

    assert ended.summary["state"] == "interrupted"
    assert number.name in ended.complaint
    assert 20 <= int(str(ended.summary["copied"])) < 600
    after = resumed(lakebed, ended.summary["operation_id"])
    assert after.counts("listed", "copied", "failed") == (600, 600, 0)
    assert destination.content() == content


def test_a_second_ctrl_c_changes_nothing(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(300))
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")

    with lakebed.started(*arguments, "--concurrency", "1") as running:
        running.until("copied", 5)
        running.signal(signal.SIGINT)
        ended = interrupted(running, signal.SIGINT)

    assert ended.summary["state"] == "interrupted"
    resumed(lakebed, ended.summary["operation_id"])


def _hold_listing(asked: Asked) -> Answer:
    return HOLD if asked.is_listing and "probe" not in asked.path else None


def _hold_objects(asked: Asked) -> Answer:
    return HOLD if asked.method == "GET" and not asked.is_listing else None


def _hold_all(asked: Asked) -> Answer:
    return HOLD


@pytest.mark.parametrize("choose", [_hold_listing, _hold_objects, _hold_all])
def test_a_source_that_hangs_does_not_keep_a_signal_waiting(
    lakebed: Lakebed, served: Served, source: Bucket, destination: Bucket, choose: Choose
) -> None:
    content = pairs(20)
    source.fill(content)
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")

    with (
        before(served, choose) as gateway,
        lakebed.store("here", endpoint=gateway.endpoint).started(*arguments) as running,
    ):
        assert gateway.held.wait(PATIENCE)
        ended = interrupted(running, signal.SIGINT)

    assert ended.summary["state"] == "interrupted"
    resumed(lakebed, ended.summary["operation_id"])
    assert destination.content() == content


@pytest.mark.parametrize("command", ["plan", "ls"])
def test_a_listing_that_hangs_is_interrupted(
    lakebed: Lakebed, served: Served, source: Bucket, destination: Bucket, command: str
) -> None:
    locations = [f"here:{source.name}"] + [f"there:{destination.name}"] * (command == "plan")

    with (
        before(served, _hold_all) as gateway,
        lakebed.store("here", endpoint=gateway.endpoint).started(command, *locations) as running,
    ):
        assert gateway.held.wait(PATIENCE)
        assert "SIGTERM" in interrupted(running, signal.SIGTERM).complaint


def test_a_wait_before_a_retry_is_interrupted(
    lakebed: Lakebed, served: Served, source: Bucket, destination: Bucket
) -> None:
    content = pairs(3)
    source.fill(content)
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")

    def busy(asked: Asked) -> Answer:
        return None if asked.is_listing else refusal("503 Busy", "SlowDown", "Retry-After: 3600")

    with (
        before(served, busy) as gateway,
        lakebed.store("here", endpoint=gateway.endpoint).started(*arguments) as running,
    ):
        while not running.until("progress")["retries"]:
            pass
        ended = interrupted(running, signal.SIGINT)

    assert ended.summary["state"] == "interrupted"
    resumed(lakebed, ended.summary["operation_id"])
    assert destination.content() == content


def test_a_large_object_is_interrupted_half_way_and_nothing_of_it_is_visible(
    lakebed: Lakebed, served: Served, source: Bucket, destination: Bucket
) -> None:
    source.put("large.bin", bytes(SIZE) * 8)
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")

    with (
        before(served, most=3 * SIZE) as gateway,
        lakebed.store("here", endpoint=gateway.endpoint).started(*arguments) as running,
    ):
        assert gateway.held.wait(PATIENCE)
        ended = interrupted(running, signal.SIGTERM)

    assert ended.counts("state", "copied") == ("interrupted", 0)
    assert destination.keys() == []
    after = resumed(lakebed, ended.summary["operation_id"])
    assert after.summary["lanes"] == {"resumable": 1}
    assert destination.read("large.bin") == bytes(8 * SIZE)
