"""kill -9 at random moments: nothing is lost, nothing that is done is done again."""

import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.e2e.buckets import Bucket, pairs
from tests.e2e.gateway import Asked, Gateway
from tests.e2e.process import Lakebed
from tests.fixtures_stores import Served

KILLS = 6
OBJECTS = 800
IN_FLIGHT = 64
"""Objects: 16 pairs that are on their way, and as many that are waiting to be remembered."""


@pytest.fixture
def gateway(served: Served) -> Iterator[Gateway]:
    address = urlsplit(served.endpoint)
    with Gateway((str(address.hostname), address.port or 0)) as opened:
        yield opened


def done(ledger: Path) -> set[str]:
    """What the ledger calls done, read as any other program would."""
    query = "select key, state from objects"
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        return {bytes(key).decode() for key, state in connection.execute(query) if state == "done"}


def written(asked: list[Asked], bucket: Bucket) -> list[str]:
    """The keys that were put, in order; not those of a probe."""
    root = f"/{bucket.name}/daily/"
    puts = [asking for asking in asked if asking.method == "PUT" and asking.path.startswith(root)]
    return [unquote(put.path).removeprefix(f"/{bucket.name}/") for put in puts]


@pytest.mark.long
def test_kills_lose_nothing_and_repeat_only_what_was_in_flight(
    lakebed: Lakebed, source: Bucket, destination: Bucket, gateway: Gateway
) -> None:
    content = pairs(OBJECTS // 2)
    source.fill(content)
    # One by one: then each object that is put is seen on its way.
    lakebed = lakebed.store("there", endpoint=gateway.endpoint, disable="unpack")
    ledger = lakebed.folder / "state/lakebed/ledger.sqlite"
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)

    arguments = ["sync", f"here:{source.name}", f"there:{destination.name}"]
    operation = ""
    durable: list[tuple[int, set[str]]] = []
    for kill in range(KILLS):
        left = OBJECTS - (len(durable[-1][1]) if durable else 0)
        moment = draw.randrange(2 * left // (KILLS - kill + 1))
        with lakebed.started(*arguments, "--json") as running:
            operation = str(running.until("started")["operation_id"])
            if moment:
                running.until("copied", moment)
            running.signal(signal.SIGKILL)
            assert running.end().code == -signal.SIGKILL
        durable.append((len(written(gateway.seen, destination)), done(ledger)))
        arguments = ["resume", operation]

    ended = lakebed(*arguments, "--json")

    assert (ended.code, ended.err) == (0, "")
    assert ended.counts("state", "listed", "copied", "failed", "pending") == (
        "completed",
        OBJECTS,
        OBJECTS,
        0,
        0,
    )
    assert ended.summary["proofs"] == {
        "publisher-sha256": OBJECTS // 2,
        "server-checksum": OBJECTS // 2,
    }
    assert done(ledger) == content.keys()
    assert destination.content() == content
    [kept] = lakebed("operations", "--json").events
    assert kept["operation_id"] == operation

    puts = written(gateway.seen, destination)
    for before, already in durable:
        assert not already & set(puts[before:]), "what was done was done again"
    repeated = Counter(puts).total() - OBJECTS
    print(f"{repeated} objects were put again")
    # What is there unacknowledged is met by a PUT that would make it, and then made again.
    assert repeated <= 2 * KILLS * IN_FLIGHT
