"""One GET and one PUT an object on our own client, parts of large ones: no ledger, no proof."""

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from bench.loops.ends import Ends, ends_of
from lakebed.model.objects import Object, Part, Span
from lakebed.store.contract import Buffer

_PART = 16 * 1024**2
_WORKERS, _PART_WORKERS = 16, 6
"""Threads that measured best on two cores for small objects, and for parts."""


@dataclass(frozen=True, slots=True)
class Upload:
    key: str
    id: str
    parts: list[Future[Part]]


def copy_all(ends: Ends) -> None:
    whole: deque[Future[None]] = deque()
    uploads: list[Upload] = []
    with (
        ThreadPoolExecutor(ends.workers or _WORKERS) as workers,
        ThreadPoolExecutor(_PART_WORKERS) as part_workers,
    ):
        for found in ends.source.listing():
            if found.size > 2 * _PART:
                uploads.append(_start(ends, found, part_workers))
            else:
                whole.append(workers.submit(_copy, ends, found))
        for done in whole:
            done.result()
        for upload in uploads:
            parts = [part.result() for part in upload.parts]
            ends.target.store.complete_upload(ends.target.bucket, upload.key, upload.id, parts)


def _copy(ends: Ends, found: Object) -> None:
    pieces: list[bytes] = []
    digest = hashlib.sha256()
    ends.source.store.get(ends.source.bucket, found.key, pieces.append)
    for piece in pieces:
        digest.update(piece)
    ends.target.store.put(ends.target.bucket, found.key, Buffer(pieces))


def _start(ends: Ends, found: Object, workers: ThreadPoolExecutor) -> Upload:
    target = ends.target
    upload_id = target.store.create_upload(target.bucket, found.key)
    starts = range(0, found.size, _PART)
    spans = [Span(start, min(start + _PART, found.size)) for start in starts]
    parts = [
        workers.submit(_copy_part, ends, found, upload_id, number, span)
        for number, span in enumerate(spans, start=1)
    ]
    return Upload(found.key, upload_id, parts)


def _copy_part(ends: Ends, found: Object, upload_id: str, number: int, span: Span) -> Part:
    pieces: list[bytes] = []
    ends.source.store.get(ends.source.bucket, found.key, pieces.append, span=span)
    target = ends.target
    return target.store.upload_part(target.bucket, found.key, upload_id, number, Buffer(pieces))


if __name__ == "__main__":
    with ends_of(__doc__) as given:
        copy_all(given)
