"""Opens a ground: a store of its own, a gateway before it, and a configuration of the command."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from tests.chaos.rounds import Ground
from tests.e2e.buckets import Bucket, open_served
from tests.e2e.conftest import configure
from tests.e2e.gateway import Gateway
from tests.e2e.process import Lakebed
from tests.fixtures_stores import Served


@contextmanager
def ground(served: Served, folder: Path) -> Iterator[Ground]:
    address = urlsplit(served.endpoint)
    upstream = (str(address.hostname), address.port or 0)
    with Gateway(upstream) as gateway, closing(open_served(served)) as store:
        configure(folder, replace(served, endpoint=gateway.endpoint))
        yield Ground(served, Lakebed(folder), gateway, partial(Bucket.create, store))
