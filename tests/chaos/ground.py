"""Opens a ground: a store of its own, and a configuration of the command."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.chaos.rounds import Ground
from tests.e2e.buckets import open_served
from tests.e2e.conftest import configure
from tests.e2e.process import Lakebed
from tests.fixtures_stores import Served


@contextmanager
def ground(served: Served, folder: Path) -> Iterator[Ground]:
    configure(folder, served)
    with closing(open_served(served)) as store:
        yield Ground(Lakebed(folder), store)
