"""Data sets on their way into a store: many small objects a request, large ones as they are."""

import io
import tarfile
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, islice

from bench.data import MIB, Archive, Dataset
from lakebed.model.objects import Attributes
from lakebed.store.contract import Buffer, Store

_SMALL = MIB
"""Bytes up to which an archive travels in a tar."""
_IN_A_TAR = 100
"""Archives, so at most 100 MiB."""
_THREADS = 4
_UNPACK = Attributes(metadata={"snowball-auto-extract": "true"})
"""MinIO unpacks a tar that is sent with this header."""


def load(dataset: Dataset, store: Store, bucket: str) -> None:
    """Write each archive and its CHECKSUM; the first error of the store ends it."""
    under_way: set[Future[None]] = set()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="load") as pool:
        for archives in _groups(dataset):
            if len(under_way) >= _THREADS:
                ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                _raise(ended)
            under_way.add(pool.submit(_put, archives, store, bucket))
        _raise(wait(under_way).done)


def _raise(ended: set[Future[None]]) -> None:
    for future in ended:
        future.result()


def _groups(dataset: Dataset) -> Iterator[list[Archive]]:
    """What goes together: a large archive alone, small ones in tars."""
    small = (archive for archive in dataset.archives() if archive.size <= _SMALL)
    large = ([archive] for archive in dataset.archives() if archive.size > _SMALL)
    return chain(iter(lambda: list(islice(small, _IN_A_TAR)), []), large)


def _put(archives: list[Archive], store: Store, bucket: str) -> None:
    first = archives[0]
    if first.size > _SMALL:
        store.put(bucket, first.key, first)
        store.put(bucket, f"{first.key}.CHECKSUM", Buffer([first.checksum()]))
    else:
        tar = _tar(archives)
        store.put(bucket, f"load-{first.number}.tar", Buffer([tar]), attributes=_UNPACK)


def _tar(archives: list[Archive]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for archive in archives:
            content = b"".join(archive.chunks())
            for key, body in (
                (archive.key, content),
                (f"{archive.key}.CHECKSUM", archive.checksum()),
            ):
                member = tarfile.TarInfo(key)
                member.size = len(body)
                member.mtime = _MODIFIED
                tar.addfile(member, io.BytesIO(body))
    return packed.getvalue()


_MODIFIED = 1_750_000_000
"""Seconds since 1970; long before any copy is made."""
