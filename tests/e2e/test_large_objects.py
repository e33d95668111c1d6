"""kill -9 in the middle of a very large object: the next run goes on inside it."""

import random
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from lakebed.store.contract import Store
from lakebed.transfer.lanes import resumable
from lakebed.transfer.lanes.flight import THREADS
from tests.e2e.buckets import Bucket, pair
from tests.e2e.gateway import HOLD, Answer, Asked, Gateway, pass_on
from tests.e2e.process import Lakebed
from tests.fixtures_stores import Served

PARTS = 25
SIZE = PARTS * resumable.PART
ARRIVED = 12
"""Parts that the destination takes before the link stands still and the process is killed."""


@pytest.fixture(scope="module")
def content() -> dict[str, bytes]:
    return pair("large.zip", random.Random(7).randbytes(2**20) * (SIZE // 2**20))


@pytest.fixture
def gateway(served: Served) -> Iterator[Gateway]:
    address = urlsplit(served.endpoint)
    with Gateway((str(address.hostname), address.port or 0)) as opened:
        yield opened


def is_part(asked: Asked) -> bool:
    return asked.method == "PUT" and "large.zip?partNumber=" in asked.path


def parts_sent(gateway: Gateway) -> int:
    return sum(map(is_part, gateway.seen))


def killed(lakebed: Lakebed, gateway: Gateway, source: Bucket, destination: Bucket) -> str:
    """The operation, killed while its parts stand still on their way."""

    def choose(asked: Asked) -> Answer:
        return HOLD if is_part(asked) and parts_sent(gateway) > ARRIVED else None

    gateway.choose = choose
    arguments = ("sync", f"here:{source.name}", f"there:{destination.name}", "--json")
    with lakebed.started(*arguments) as running:
        operation = str(running.until("started")["operation_id"])
        assert gateway.held.wait(60)
        running.signal(signal.SIGKILL)
        assert running.end().code == -signal.SIGKILL
    gateway.choose = pass_on
    return operation


def test_a_killed_upload_goes_on_and_only_parts_in_flight_are_sent_again(
    lakebed: Lakebed,
    source: Bucket,
    destination: Bucket,
    gateway: Gateway,
    content: dict[str, bytes],
) -> None:
    source.fill(content)
    lakebed = lakebed.store("there", endpoint=gateway.endpoint)
    operation = killed(lakebed, gateway, source, destination)
    [left] = lakebed("uploads", "list", "--json").events
    assert (left["operation_id"], left["size"]) == (operation, SIZE)
    before = parts_sent(gateway)

    ended = lakebed("resume", operation, "--json")

    assert (ended.code, ended.err) == (0, "")
    assert ended.summary["lanes"] == {"resumable": 1, "whole": 1}
    again = parts_sent(gateway) - before
    assert PARTS - ARRIVED <= again <= PARTS - ARRIVED + THREADS
    assert ended.summary["reread_bytes"] == (PARTS - again) * resumable.PART
    assert ended.summary["proofs"] == {"publisher-sha256": 1, "server-checksum": 1}
    assert destination.content() == content
    assert lakebed("uploads", "list", "--json").events == []


def test_what_a_kill_left_is_aborted_and_a_resume_begins_anew(
    lakebed: Lakebed,
    store: Store,
    source: Bucket,
    destination: Bucket,
    gateway: Gateway,
    content: dict[str, bytes],
) -> None:
    source.fill(content)
    lakebed = lakebed.store("there", endpoint=gateway.endpoint)
    operation = killed(lakebed, gateway, source, destination)
    assert len(lakebed("uploads", "abort", "--dry-run", "--json").events) == 1
    assert len(store.list_uploads(destination.name, "large.zip")) == 1

    assert len(lakebed("uploads", "abort", "--json").events) == 1

    assert store.list_uploads(destination.name, "large.zip") == []
    assert lakebed("uploads", "abort", "--json").events == []
    ended = lakebed("resume", operation, "--json")
    assert ended.summary["state"] == "completed"
    assert ended.summary["reread_bytes"] == 0
    assert destination.content() == content
