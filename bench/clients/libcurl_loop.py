"""One GET, SHA-256, one PUT per object on libcurl (pycurl) in threads."""

import argparse
import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO

import pycurl
from loop import SMALL, TARGET, Meter, Settings, arguments, path_of, share, sign, small_keys


@dataclass(frozen=True)
class Details:
    """The choices whose cost is measured; the defaults are what a real client would take."""

    handles: str = "pool"  # pool: borrowed from a LIFO and reset(); persistent: one per thread
    headers: str = "list"  # list: HEADERFUNCTION=list.append; none
    sink: str = "list"  # list: WRITEFUNCTION=list.append and join; bytesio: WRITEDATA
    body: str = "postfields"  # postfields; readfunction (UPLOAD=1)
    progress: str = "on"  # XFERINFOFUNCTION as the hook for cancellation
    buffer: int = 0  # BUFFERSIZE and UPLOAD_BUFFERSIZE; 0: libcurl's own


@dataclass
class Answer:
    status: int
    header_lines: list[bytes] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The value of the last such header; lines are parsed only where one is asked for."""
        wanted = name.lower().encode() + b":"
        for line in reversed(self.header_lines):
            if line[: len(wanted)].lower() == wanted:
                return line[len(wanted) :].strip().decode("latin-1")
        return None


class Client:
    """A thin S3 client for one endpoint, for any number of threads."""

    def __init__(
        self,
        settings: Settings,
        host: str,
        details: Details | None = None,
        scheme: str = "http",
        connect_timeout_ms: int = 0,
    ) -> None:
        self._settings, self.host = settings, host
        self._scheme, self._connect_timeout_ms = scheme, connect_timeout_ms
        self._details = details or Details()
        self._idle: list[pycurl.Curl] = []
        self._local = threading.local()
        self.stop = False

    def _cancelled(self, *_: int) -> bool:
        return self.stop

    def _prepare(self, handle: pycurl.Curl) -> None:
        """What a handle keeps until reset()."""
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.PATH_AS_IS, 1)
        if self._connect_timeout_ms:
            handle.setopt(pycurl.CONNECTTIMEOUT_MS, self._connect_timeout_ms)
        if self._details.progress == "on":
            handle.setopt(pycurl.XFERINFOFUNCTION, self._cancelled)
            handle.setopt(pycurl.NOPROGRESS, 0)
        if self._details.buffer:
            handle.setopt(pycurl.BUFFERSIZE, self._details.buffer)
            handle.setopt(pycurl.UPLOAD_BUFFERSIZE, self._details.buffer)

    def _borrow(self, method: str) -> pycurl.Curl:
        if self._details.handles == "pool":
            try:
                handle = self._idle.pop()
                handle.reset()
            except IndexError:
                handle = pycurl.Curl()
            self._prepare(handle)
            return handle
        kept: dict[tuple[int, str], pycurl.Curl] = self._local.__dict__.setdefault("kept", {})
        if (id(self), method) not in kept:
            kept[id(self), method] = pycurl.Curl()
            self._prepare(kept[id(self), method])
        return kept[id(self), method]

    def request(
        self,
        method: str,
        path: str,
        query: str = "",
        body: bytes | None = None,
        headers: Iterable[tuple[str, str]] = (),
        read: Callable[[int], bytes] | None = None,
        size: int = 0,
        write: Callable[[bytes], int | None] | None = None,
    ) -> Answer:
        """body, or read and size, is what is sent; write takes the answer's body as it comes."""
        handle = self._borrow(method)
        signed = sign(self._settings, method, self.host, path, query, headers)
        lines = [f"{name}: {value}" for name, value in signed.items()]
        url = f"{self._scheme}://{self.host}{path}"
        handle.setopt(pycurl.URL, f"{url}?{query}" if query else url)
        answer = Answer(0)
        if self._details.headers == "list":
            handle.setopt(pycurl.HEADERFUNCTION, answer.header_lines.append)
        chunks: list[bytes] = []
        buffer: BytesIO | None = None
        if write is not None:
            handle.setopt(pycurl.WRITEFUNCTION, write)
        elif self._details.sink == "list":
            handle.setopt(pycurl.WRITEFUNCTION, chunks.append)
        else:
            buffer = BytesIO()
            handle.setopt(pycurl.WRITEDATA, buffer)
        if body is not None and read is None:
            size = len(body)
            if self._details.body == "readfunction":
                read = BytesIO(body).read
        if read is not None:
            handle.setopt(pycurl.UPLOAD, 1)
            handle.setopt(pycurl.INFILESIZE_LARGE, size)
            handle.setopt(pycurl.READFUNCTION, read)
            if method != "PUT":  # UPLOAD means PUT
                handle.setopt(pycurl.CUSTOMREQUEST, method)
        elif body is not None:
            handle.setopt(pycurl.POSTFIELDS, body)
            handle.setopt(pycurl.CUSTOMREQUEST, method)
        elif method != "GET":
            handle.setopt(pycurl.CUSTOMREQUEST, method)
        if body is not None or read is not None:
            lines += ["Expect:", "Content-Type:"]
        handle.setopt(pycurl.HTTPHEADER, lines)
        handle.perform()
        answer.status = handle.getinfo(pycurl.RESPONSE_CODE)
        answer.body = b"".join(chunks) if buffer is None else buffer.getvalue()
        if self._details.handles == "pool":
            self._idle.append(handle)  # a handle that raised is dropped with its connection
        return answer


def details_from(args: argparse.Namespace) -> Details:
    return Details(args.handles, args.headers, args.sink, args.body, args.progress, args.buffer)


def add_details(parser: argparse.ArgumentParser) -> None:
    base = Details()
    parser.add_argument("--handles", choices=["pool", "persistent"], default=base.handles)
    parser.add_argument("--headers", choices=["list", "none"], default=base.headers)
    parser.add_argument("--sink", choices=["list", "bytesio"], default=base.sink)
    parser.add_argument("--body", choices=["postfields", "readfunction"], default=base.body)
    parser.add_argument("--progress", choices=["on", "off"], default=base.progress)
    parser.add_argument("--buffer", type=int, default=base.buffer)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--threads", type=int, default=16)
    add_details(parser)
    args = parser.parse_args()
    settings, keys = Settings.from_environment(), small_keys()[: args.limit]
    meter = Meter()
    source = Client(settings, settings.source, details_from(args))
    target = Client(settings, settings.target, details_from(args))
    todo, failures = share(keys), []

    def work() -> None:
        for key in todo:
            got = source.request("GET", path_of(SMALL, key))
            hashlib.sha256(got.body).hexdigest()
            put = target.request("PUT", path_of(TARGET, f"{args.prefix}/{key}"), body=got.body)
            if (got.status, put.status) != (200, 200):
                failures.append((key, got.status, put.status))

    threads = [threading.Thread(target=work) for _ in range(args.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter.report(len(keys) - len(failures))


if __name__ == "__main__":
    main()
