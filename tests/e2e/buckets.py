"""Buckets of a running store, filled and read without the command."""

import hashlib
import random
import secrets
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from lakebed.model.location import LOCAL_STORE
from lakebed.model.objects import Attributes, Object
from lakebed.settings import StoreSettings
from lakebed.store.build import open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import NO_ATTRIBUTES, Buffer, Store
from lakebed.store.folder.store import FolderStore
from lakebed.store.listing import objects
from tests.fixtures_stores import Served


def open_served(served: Served) -> Store:
    settings = StoreSettings(
        name="served",
        endpoint=served.endpoint,
        access_key=SecretStr(served.access_key),
        secret_key=SecretStr(served.secret_key),
    )
    return open_store(settings, Cancellation())


@dataclass(frozen=True, slots=True)
class Bucket:
    store: Store
    name: str

    @classmethod
    def create(cls, store: Store) -> "Bucket":
        bucket = cls(store, f"e2e-{secrets.token_hex(6)}")
        store.create_bucket(bucket.name)
        return bucket

    def put(self, key: str, data: bytes, attributes: Attributes = NO_ATTRIBUTES) -> None:
        self.store.put(self.name, key, Buffer((data,)), attributes=attributes)

    def fill(self, content: Mapping[str, bytes]) -> None:
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(self.put, key, data) for key, data in content.items()]:
                done.result()

    def clear(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(self.store.delete, self.name, key) for key in self.keys()]:
                done.result()

    def listing(self) -> list[Object]:
        return list(objects(self.store, self.name))

    def keys(self) -> list[str]:
        return [found.key for found in self.listing()]

    def read(self, key: str) -> bytes:
        pieces: list[bytes] = []
        self.store.get(self.name, key, pieces.append)
        return b"".join(pieces)

    def content(self) -> dict[str, bytes]:
        keys = self.keys()
        with ThreadPoolExecutor(8) as pool:
            return dict(zip(keys, pool.map(self.read, keys), strict=True))


def place(name: str, store: Store, folder: Path) -> Bucket:
    """Somewhere new: in `store`, or below `folder` where the name is that of folders."""
    if name == LOCAL_STORE:
        return Bucket(FolderStore(Cancellation(), name), tempfile.mkdtemp(dir=folder))
    return Bucket.create(store)


def pair(key: str, data: bytes) -> dict[str, bytes]:
    """An archive and its sidecar."""
    line = f"{hashlib.sha256(data).hexdigest()}  {key.rpartition('/')[2]}\n"
    return {key: data, f"{key}.CHECKSUM": line.encode()}


def pairs(count: int, seed: int = 0) -> dict[str, bytes]:
    """Pairs of a few hundred bytes."""
    draw = random.Random(seed)
    found: dict[str, bytes] = {}
    for number in range(count):
        found |= pair(f"daily/{number:05}.zip", draw.randbytes(draw.randrange(200, 600)))
    return found
