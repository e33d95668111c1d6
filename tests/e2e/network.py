"""The engine in this process, between stores behind a line that fails, and the law that holds."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import select

from lakebed.database.tables import objects
from lakebed.database.transaction import reading
from lakebed.errors import Exit
from lakebed.model.location import Location
from lakebed.model.operation import ObjectState, OperationState, Options, Request, Summary
from lakebed.operations.run import Platform
from lakebed.operations.states import exit_code
from lakebed.settings import Settings
from lakebed.settings.store import StoreSettings, Timeouts
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Store
from tests.e2e.buckets import Bucket, place
from tests.e2e.gateway import Gateway
from tests.e2e.line import Line
from tests.e2e.mixes import Mix
from tests.fixtures_stores import Served

BOUND = 120.0
"""Seconds in which a run must end, whatever the network does: many times what it takes."""
TIMEOUTS = Timeouts(connect=10.0, stall=2.0, total=60.0)
"""What stands for the minutes of the defaults, so that no test waits for one."""
TRUTH = {
    OperationState.COMPLETED: Exit.COMPLETED,
    OperationState.PARTIAL: Exit.FAILED_OBJECTS,
    OperationState.QUARANTINED: Exit.QUARANTINED,
    OperationState.FAILED: Exit.STORE,
}
"""The exit code of each state in which a failing network may leave an operation."""


@dataclass(frozen=True)
class Run:
    """A platform that can be asked to move a mix from one bucket to the other."""

    platform: Callable[[], Platform]
    request: Request
    source: Bucket
    destination: Bucket

    def start(self) -> Summary:
        with self.platform() as platform:
            return platform.sync(self.request)

    def resume(self, operation_id: str) -> Summary:
        with self.platform() as platform:
            return platform.resume(operation_id)

    def rows(self) -> list[tuple[str, str]]:
        """Key and state of each row of the ledger."""
        query = select(objects.c.key, objects.c.state)
        with self.platform() as platform, reading(platform.ledger.engine) as connection:
            return [(key.decode(), state) for key, state in connection.execute(query)]


def request_of(mix: Mix, source: Location, destination: Location, retries: int = 5) -> Request:
    options = Options(
        mode=mix.mode,
        server_side=mix.server_side,
        retries=retries,
        concurrency=4,
        max_duration=BOUND,
    )
    return Request(source, destination, options=options)


def check_truth(run: Run, summary: Summary, content: dict[str, bytes]) -> None:
    """Whatever became of it: no half of anything, and nothing is said that is not so."""
    assert exit_code(summary) is TRUTH[summary.state], summary
    rows = run.rows()
    assert max(Counter(key for key, _ in rows).values(), default=1) == 1
    done = {key for key, state in rows if state == ObjectState.DONE}
    there = run.destination.content()
    assert summary.copied == len(done)
    assert done <= there.keys()
    assert there.items() <= content.items(), "what arrived is what was sent"
    if summary.state is OperationState.COMPLETED:
        assert there == content
        assert done == set(content)


def check_law(
    run: Run, content: dict[str, bytes], heal: Callable[[], None], most: int = 3
) -> list[Summary]:
    """Sync, and resume until it is complete: `most` times as it is, then with all healed.

    After each run the truth is told; in the end everything is there, and once.
    """
    run.source.fill(content)
    ended: list[Summary] = []
    while not ended or ended[-1].state is not OperationState.COMPLETED:
        assert len(ended) <= most + 1, ended[-1]
        if len(ended) == most:
            heal()
        began = time.monotonic()
        ended.append(run.resume(ended[-1].operation_id) if ended else run.start())
        assert time.monotonic() - began < BOUND
        check_truth(run, ended[-1], content)
    assert run.source.content() == content
    return ended


@contextmanager
def behind(served: Served, line: Line, folder: Path, mix: Mix, store: Store) -> Iterator[Run]:
    """The engine, whose each byte to and from a served store passes `line`; `store` reaches it
    without."""
    address = urlsplit(served.endpoint)
    upstream = (str(address.hostname), address.port or 0)
    with Gateway(upstream, line=line) as gateway:
        there = gateway.endpoint.replace("127.0.0.1", "localhost")
        endpoints = {"here": gateway.endpoint, "there": there}
        yield between(served, endpoints, folder, mix, store)


def between(served: Served, endpoints: dict[str, str], folder: Path, mix: Mix, store: Store) -> Run:
    """The engine between the ends of a mix."""
    settings = Settings(
        state=folder,
        stores={
            name: StoreSettings(
                name=name,
                endpoint=endpoint,
                access_key=SecretStr(served.access_key),
                secret_key=SecretStr(served.secret_key),
                timeouts=TIMEOUTS,
                disable=mix.disabled,
            )
            for name, endpoint in endpoints.items()
        },
    )
    source, destination = (place(name, store, folder) for name in (mix.source, mix.destination))
    ends = (Location(mix.source, source.name), Location(mix.destination, destination.name))
    return Run(
        lambda: Platform(settings, Cancellation()), request_of(mix, *ends), source, destination
    )
