"""One operation, several processes."""

import re
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from lakebed.errors import Exit
from tests.e2e.buckets import Bucket, pairs
from tests.e2e.gateway import HOLD, Answer, Asked, Gateway
from tests.e2e.process import PATIENCE, Lakebed
from tests.fixtures_stores import Served


@pytest.fixture
def gateway(served: Served) -> Iterator[Gateway]:
    """Lists, and gives no object."""

    def choose(asked: Asked) -> Answer:
        return HOLD if asked.method == "GET" and not asked.is_listing else None

    address = urlsplit(served.endpoint)
    with Gateway((str(address.hostname), address.port or 0), choose) as opened:
        yield opened


def test_of_two_that_resume_one_runs_and_the_other_says_who(
    lakebed: Lakebed, source: Bucket, destination: Bucket, gateway: Gateway
) -> None:
    content = pairs(20)
    source.fill(content)
    slow = lakebed.store("here", endpoint=gateway.endpoint)
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")
    with slow.started(*arguments) as stopped:
        operation = str(stopped.until("started")["operation_id"])
        assert gateway.held.wait(PATIENCE)
        stopped.signal(signal.SIGTERM)
        assert stopped.end().code == Exit.SIGTERM
    gateway.held.clear()

    with slow.started("resume", operation, "--json") as first:
        assert gateway.held.wait(PATIENCE)
        second = lakebed("resume", operation, "--json")
        [kept] = lakebed("operations", "--json", "--state", "running").events
        first.signal(signal.SIGINT)
        assert first.end().code == Exit.SIGINT

    assert (second.code, second.out) == (Exit.ELSEWHERE, "")
    assert re.search(rf"{operation}: process {first.pid} on \S+ runs it", second.complaint)
    assert "lakebed cancel" in second.complaint
    assert kept["operation_id"] == operation
    assert lakebed("resume", operation).code == Exit.COMPLETED
    assert destination.content() == content


def test_cancel_from_another_process_stops_the_one_that_runs(
    lakebed: Lakebed, source: Bucket, destination: Bucket, gateway: Gateway
) -> None:
    source.fill(pairs(20))
    slow = lakebed.store("here", endpoint=gateway.endpoint)
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")

    with slow.started(*arguments) as running:
        operation = str(running.until("started")["operation_id"])
        assert gateway.held.wait(PATIENCE)
        asked = lakebed("cancel", operation)
        ended = running.end()

    assert (asked.code, asked.out) == (0, f"operation {operation} was asked to stop\n")
    assert (ended.code, ended.summary["state"]) == (Exit.ELSEWHERE, "cancelled")
    assert "cancelled" in ended.complaint
    again = lakebed("resume", operation)
    assert again.code == Exit.ELSEWHERE
    assert "it was cancelled" in again.complaint
    assert "start a new operation" in again.complaint


def test_an_operation_that_nobody_runs_is_cancelled_at_once_and_once(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(2))
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")
    operation = str(lakebed(*arguments, "--max-duration", "1ms").summary["operation_id"])

    for _ in range(2):
        ended = lakebed("cancel", operation, "--json")
        assert (ended.code, ended.summary["state"]) == (0, "cancelled")


def test_a_resume_of_what_is_completed_does_nothing(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(2))
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")
    operation = str(lakebed(*arguments).summary["operation_id"])
    source.put("later", b"later")

    ended = lakebed("resume", operation, "--json")

    assert ended.code == Exit.COMPLETED
    assert ended.counts("state", "copied", "listed") == ("completed", 4, 4)
    assert len(destination.listing()) == 4
