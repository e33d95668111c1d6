"""Where rounds are played: a database, a store, and two replicas that come up again."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine

import tests
from lakebed.local.embedded import EmbeddedStore
from tests.chaos.replicas.clock import CLOCK
from tests.database import postgresql
from tests.e2e.buckets import Bucket, open_served
from tests.e2e.conftest import configure
from tests.e2e.process import Lakebed
from tests.executor.processes import below, kill
from tests.executor.replica import Replica, replica
from tests.fixtures_stores import Served


@dataclass
class Place:
    """Of one replica: it has its own clock. What was killed is closed at the end of a round, for
    what is left of it may only be stopped."""

    lakebed: Lakebed
    clock: Path
    now: Replica = field(init=False)
    _left: list[ExitStack] = field(default_factory=list)
    _stack: ExitStack = field(init=False)

    def start(self) -> None:
        self._stack = ExitStack()
        self.now = self._stack.enter_context(replica(self.lakebed))

    def restart(self) -> None:
        self._left.append(self._stack)
        self.start()

    def pids(self) -> list[int]:
        return [self.now.process.pid, *below(self.now.process.pid)]

    def tidy(self) -> None:
        while self._left:
            self._left.pop().close()

    def close(self) -> None:
        kill(self.pids())
        self._stack.close()
        self.tidy()


@dataclass
class Ground:
    folder: Path
    server: postgresql.Server
    served: Served
    _store: ExitStack
    source: Bucket
    places: tuple[Place, Place]
    database: Engine

    def restart_store(self) -> None:
        self._store.close()
        address = self.served.endpoint.removeprefix("http://")
        self._store.enter_context(EmbeddedStore(self.folder / "store", address))

    def forget(self, bucket: Bucket) -> None:
        """A bucket that is not needed any more: below the store, which takes a minute for it."""
        shutil.rmtree(self.folder / "store/data" / bucket.name)


@contextmanager
def ground(folder: Path, content: dict[str, bytes]) -> Iterator[Ground]:
    folder.chmod(0o755)
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.serve())
        server.execute("CREATE DATABASE chaos")
        running = stack.enter_context(ExitStack())
        store = running.enter_context(EmbeddedStore(folder / "store"))
        served = Served(store.endpoint, store.access_key, store.secret_key, store.engine)
        configure(folder, served)
        opened = stack.enter_context(closing(open_served(served)))
        source = Bucket.create(opened)
        source.fill(content)
        lakebed = Lakebed(
            folder,
            {
                "LAKEBED_LEDGER": server.url("chaos"),
                "PYTHONPATH": str(Path(tests.__file__).parent.parent),
            },
            (sys.executable, "-m", "tests.chaos.replicas.clock"),
        )
        places = (_place(lakebed, folder / "clock-0"), _place(lakebed, folder / "clock-1"))
        for place in places:
            place.start()
            stack.callback(place.close)
        url = server.url("chaos").replace("postgresql:", "postgresql+psycopg:")
        database = create_engine(url, poolclass=NullPool)
        yield Ground(folder, server, served, running, source, places, database)


def _place(lakebed: Lakebed, clock: Path) -> Place:
    return Place(lakebed.but(**{CLOCK: str(clock)}), clock)
