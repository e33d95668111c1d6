"""What both loops are told: two endpoints and buckets; the identity is in the environment."""

import argparse
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from bench.client import open_at
from lakebed.model.objects import Object
from lakebed.store.contract import Store
from lakebed.store.listing import objects
from lakebed.store.s3.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Side:
    store: Store
    bucket: str

    def listing(self) -> Iterator[Object]:
        return objects(self.store, self.bucket)


@dataclass(frozen=True, slots=True)
class Ends:
    source: Side
    target: Side
    workers: int | None


@contextmanager
def ends_of(description: str | None) -> Iterator[Ends]:
    """The ends that the command line names, closed after the block."""
    parser = argparse.ArgumentParser(description=description)
    for name in ("source", "source_bucket", "target", "target_bucket"):
        parser.add_argument(name)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    with (
        closing(open_at("source", given.source, credentials)) as source,
        closing(open_at("target", given.target, credentials)) as target,
    ):
        yield Ends(
            Side(source, given.source_bucket), Side(target, given.target_bucket), given.workers
        )
