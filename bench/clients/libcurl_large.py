"""8 objects of 256 MiB by libcurl: ranged GET, SHA-256 in order, UploadPart; 4 objects at a time.

streamed: a reader thread's WRITEFUNCTION feeds a bounded queue, the PUT's READFUNCTION drains it.
buffered: the part is read whole into a list of chunks, then sent from that list.
"""

import argparse
import hashlib
import queue
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from libcurl_loop import Answer, Client, add_details, details_from
from loop import LARGE, LARGE_SIZE, TARGET, Meter, Settings, arguments, large_keys, path_of, share

Chunks = list[bytes]


class Digests:
    """SHA-256 of the object in order and, where wanted, MD5 of the part: its ETag."""

    def __init__(self, md5: bool) -> None:
        self.sha256, self._want = hashlib.sha256(), md5
        self.md5 = hashlib.md5(usedforsecurity=False)

    def next_part(self) -> None:
        self.md5 = hashlib.md5(usedforsecurity=False)

    def update(self, data: bytes) -> None:
        self.sha256.update(data)
        if self._want:
            self.md5.update(data)


def reader_of(next_chunk: Callable[[], bytes]) -> Callable[[int], bytes]:
    """READFUNCTION over chunks: at most n bytes a call, without a copy where a chunk fits."""
    rest = memoryview(b"")

    def read(n: int) -> bytes:
        nonlocal rest
        if not rest:
            chunk = next_chunk()
            if len(chunk) <= n:
                return chunk
            rest = memoryview(chunk)
        out, rest = rest[:n], rest[n:]
        return bytes(out)

    return read


class Copier:
    def __init__(self, args: Any) -> None:
        self.args, settings = args, Settings.from_environment()
        self.source = Client(settings, settings.source, details_from(args))
        self.target = Client(settings, settings.target, details_from(args))
        self.part = args.part_mib << 20
        self.seen: Counter[int] = Counter()

    def _get_part(self, key: str, i: int, write: Callable[[bytes], None]) -> None:
        span = f"bytes={i * self.part}-{(i + 1) * self.part - 1}"
        extra = [("range", span)]
        answer = self.source.request("GET", path_of(LARGE, key), headers=extra, write=write)
        if answer.status != 206:
            raise RuntimeError(f"{key} part {i}: GET {answer.status}")

    def _put_part(
        self, path: str, upload: str, i: int, read: Callable[[int], bytes], digests: Digests
    ) -> str:
        query = f"partNumber={i + 1}&uploadId={upload}"
        answer = self.target.request("PUT", path, query, read=read, size=self.part)
        etag = answer.header("etag") or ""
        if answer.status != 200 or (self.args.md5 and etag != f'"{digests.md5.hexdigest()}"'):
            raise RuntimeError(f"{path} part {i}: PUT {answer.status} {etag}")
        digests.next_part()
        return etag

    def streamed(self, key: str, path: str, upload: str, digests: Digests) -> list[str]:
        pipe: queue.Queue[bytes] = queue.Queue(self.args.queue)
        batch: Chunks = []
        held = 0

        def flush() -> None:
            nonlocal held
            if batch:
                pipe.put(batch[0] if len(batch) == 1 else b"".join(batch))
                batch.clear()
                held = 0

        def write(data: bytes) -> None:
            nonlocal held
            self.seen[len(data)] += 1
            batch.append(data)
            held += len(data)
            if held >= self.args.batch_kib << 10:
                flush()

        def fill() -> None:
            for i in range(LARGE_SIZE // self.part):
                self._get_part(key, i, write)
                flush()

        def take() -> bytes:
            chunk = pipe.get()
            digests.update(chunk)
            return chunk

        reader = threading.Thread(target=fill, daemon=True)
        reader.start()
        etags = [
            self._put_part(path, upload, i, reader_of(take), digests)
            for i in range(LARGE_SIZE // self.part)
        ]
        reader.join()
        return etags

    def buffered(self, key: str, path: str, upload: str, digests: Digests) -> list[str]:
        etags = []
        for i in range(LARGE_SIZE // self.part):
            chunks: Chunks = []

            def write(data: bytes, chunks: Chunks = chunks) -> None:
                self.seen[len(data)] += 1
                digests.update(data)
                chunks.append(data)

            self._get_part(key, i, write)
            if self.args.body == "postfields":
                body = b"".join(chunks)
                chunks.clear()
                query = f"partNumber={i + 1}&uploadId={upload}"
                answer = self.target.request("PUT", path, query, body=body)
                etag = answer.header("etag") or ""
                if answer.status != 200 or (
                    self.args.md5 and etag != f'"{digests.md5.hexdigest()}"'
                ):
                    raise RuntimeError(f"{path} part {i}: PUT {answer.status} {etag}")
                digests.next_part()
                etags.append(etag)
            else:
                remaining = iter(chunks)
                read = reader_of(lambda remaining=remaining: next(remaining, b""))  # type: ignore[misc]
                etags.append(self._put_part(path, upload, i, read, digests))
        return etags

    def copy(self, key: str) -> None:
        path = path_of(TARGET, f"{self.args.prefix}/{key}")
        answer = self.target.request("POST", path, "uploads=", body=b"")
        upload = quote(_first(rb"<UploadId>(.*?)</UploadId>", answer), safe="")
        digests = Digests(self.args.md5)
        etags = getattr(self, self.args.mode)(key, path, upload, digests)
        parts = "".join(
            f"<Part><PartNumber>{i}</PartNumber><ETag>{etag}</ETag></Part>"
            for i, etag in enumerate(etags, 1)
        )
        document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = self.target.request("POST", path, f"uploadId={upload}", body=document)
        _first(rb"<ETag>(.*?)</ETag>", answer)


def _first(pattern: bytes, answer: Answer) -> str:
    found = re.search(pattern, answer.body)
    if answer.status != 200 or found is None:
        raise RuntimeError(f"{answer.status}: {answer.body[:200]!r}")
    return found[1].decode()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--mode", choices=["streamed", "buffered"], default="streamed")
    parser.add_argument("--objects", type=int, default=4, help="objects at a time")
    parser.add_argument("--part-mib", type=int, default=16)
    parser.add_argument("--md5", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--queue", type=int, default=8, help="chunks the queue holds")
    parser.add_argument("--batch-kib", type=int, default=0, help="join chunks up to this size")
    add_details(parser)
    copier = Copier(parser.parse_args())
    meter = Meter()
    todo, failures = share(large_keys()), []

    def work() -> None:
        for key in todo:
            try:
                copier.copy(key)
            except Exception as error:
                failures.append(f"{key}: {error!r}")

    threads = [threading.Thread(target=work) for _ in range(copier.args.objects)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter.report(
        len(large_keys()) - len(failures),
        failures=failures,
        chunks=copier.seen.total(),
        common_chunk=max(copier.seen, key=copier.seen.__getitem__, default=0),
        largest_chunk=max(copier.seen, default=0),
    )


if __name__ == "__main__":
    main()
