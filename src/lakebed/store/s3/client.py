"""One S3 request on libcurl, from any thread: sent, signed, received, its failures named.

Handles are kept and lent last in, first out, so that the warmest connection is used next; each
handle belongs to one thread while a request is under way. What requests of one kind share is said
to a handle once, as long as it serves no other kind: a third of the work before a request.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, TypeGuard
from urllib.parse import urlsplit

import pycurl

from lakebed import errors
from lakebed.errors import LakebedError
from lakebed.model.location import MAX_KEY_BYTES
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Body, Buffer
from lakebed.store.s3.answer import Answer, error_of
from lakebed.store.s3.body import Receiver, Sender
from lakebed.store.s3.credentials import CredentialSource
from lakebed.store.s3.signing import quote_key, quote_query, sign

USER_AGENT = "lakebed"
BUFFER_SIZE = 256 * 1024
"""Bytes that libcurl reads or sends at once; docs/adr/0001 has the measurement."""


WORKING = 10
"""How many times the stall timeout a store may be silent while it works: five gigabytes at 10 MB/s
with the default of a minute."""
JOINED = 1024 * 1024
"""Bytes up to which a body in memory is handed over in one piece: libcurl then sends it without
asking for it again and again, a fifth of the CPU of a small PUT (docs/adr/0001)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a store is and how it is spoken to. Times in seconds."""

    name: str
    url: str
    region: str
    virtual: bool = False
    """Bucket in the host name (`virtual` addressing), else in the path."""
    ca: str | None = None
    proxy: str | None = field(default=None, repr=False)
    connect_timeout: float = 4.0
    stall_timeout: float = 60.0
    """Without a byte for so long a request is given up."""
    total_timeout: float = 3600.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `headers` have lower-case names. `body` None sends none."""

    method: str
    bucket: str = ""
    key: str | None = None
    """None: the bucket itself, or the store. An empty one is a mistake, and not the bucket."""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    works: bool = False
    """Whether the store works before it answers: it copies, or puts parts together."""


class Client:
    """Sends requests to one endpoint."""

    def __init__(
        self, endpoint: Endpoint, credentials: CredentialSource, cancellation: Cancellation
    ) -> None:
        self.endpoint = endpoint
        self._credentials = credentials
        self._cancellation = cancellation
        self._idle: deque[tuple[pycurl.Curl, _Kind]] = deque()
        self._closed = False
        parts = urlsplit(endpoint.url)
        self._scheme, self._netloc = parts.scheme, parts.netloc
        self._root = parts.path.rstrip("/")

    def send(self, request: Request, receiver: Receiver | None = None) -> Answer:
        """The answer to a request, whatever its status below 300; else the error that it is.

        A `receiver` takes the body of a success. Raises StoreUnreachable, TlsRefused,
        BodyTruncated, the errors of `answer.error_of`, and the cancellation's reason.
        """
        self._cancellation.check()
        if request.key is not None:
            _check_key(request.key)
        receiver = receiver or Receiver()
        sender = Sender(request.body) if _is_streamed(request.body) else None
        kind = _Kind(request.method, sender is not None, request.works)
        handle = self._borrow(kind)
        try:
            self._prepare(handle, request, receiver, sender)
            status = self._perform(handle, request, receiver, sender)
        finally:
            self._give_back(kind, handle)
            if sender is not None:
                sender.close()
        answer = Answer(status, receiver.headers, receiver.collected)
        if status >= 300:
            raise error_of(answer, self._subject(request))
        return answer

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop()[0].close()

    def _subject(self, request: Request) -> str:
        where = f"{self.endpoint.name}:{request.bucket}" if request.bucket else self.endpoint.name
        return f"{where}/{request.key}" if request.key else where

    def _borrow(self, kind: "_Kind") -> pycurl.Curl:
        try:
            handle, last = self._idle.pop()
        except IndexError:
            handle, last = pycurl.Curl(), None
        if last != kind:
            handle.reset()
            self._configure(handle, kind)
        return handle

    def _give_back(self, kind: "_Kind", handle: pycurl.Curl) -> None:
        if self._closed:
            handle.close()
            return
        # A handle that is idle keeps nobody's bytes in memory.
        handle.setopt(pycurl.WRITEFUNCTION, _ignore)
        if kind.streamed:
            handle.setopt(pycurl.READFUNCTION, _ignore)
        elif kind.sends:
            handle.setopt(pycurl.POSTFIELDS, b"")
        self._idle.append((handle, kind))

    def _configure(self, c: pycurl.Curl, kind: "_Kind") -> None:
        endpoint = self.endpoint
        c.setopt(pycurl.PATH_AS_IS, 1)
        c.setopt(pycurl.NOSIGNAL, 1)
        c.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        c.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        c.setopt(pycurl.USERAGENT, USER_AGENT)
        c.setopt(pycurl.BUFFERSIZE, BUFFER_SIZE)
        c.setopt(pycurl.UPLOAD_BUFFERSIZE, BUFFER_SIZE)
        # While it connects libcurl asks nobody whether to go on: this alone bounds a stop then.
        c.setopt(pycurl.CONNECTTIMEOUT_MS, int(endpoint.connect_timeout * 1000))
        c.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        silence = endpoint.stall_timeout * (WORKING if kind.works else 1)
        c.setopt(pycurl.LOW_SPEED_TIME, max(1, int(silence)))
        c.setopt(pycurl.TIMEOUT_MS, int(endpoint.total_timeout * 1000))
        c.setopt(pycurl.NOPROGRESS, 0)
        c.setopt(pycurl.XFERINFOFUNCTION, self._cancellation.asked)
        if endpoint.ca:
            c.setopt(pycurl.CAINFO, endpoint.ca)
        if endpoint.proxy is not None:
            c.setopt(pycurl.PROXY, endpoint.proxy)
        if kind.method == "HEAD":
            c.setopt(pycurl.NOBODY, 1)
        elif kind.method != "GET":
            c.setopt(pycurl.CUSTOMREQUEST, kind.method)
        if kind.streamed:
            c.setopt(pycurl.UPLOAD, 1)

    def _target(self, request: Request) -> tuple[str, str]:
        """The host and the encoded path."""
        path = f"{self._root}/{quote_key(request.key or '')}"
        if not request.bucket:
            return self._netloc, path
        if self.endpoint.virtual:
            return f"{request.bucket}.{self._netloc}", path
        bucket = f"{self._root}/{quote_key(request.bucket)}"
        return self._netloc, f"{bucket}/{quote_key(request.key)}" if request.key else bucket

    def _headers(
        self, request: Request, host: str, path: str, query: str
    ) -> list[str] | list[bytes]:
        credentials = self._credentials()
        headers = dict(request.headers)
        if credentials is not None:
            headers = sign(
                request.method,
                path,
                query,
                {"host": host, **headers},
                credentials=credentials,
                region=self.endpoint.region,
                moment=datetime.now(UTC),
            )
        lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]
        # libcurl adds Expect and a form's Content-Type by itself; a bare name takes them away.
        lines += [f"{name}:" for name in ("expect", "content-type") if name not in headers]
        text = "".join(lines)
        if "\n" in text or "\r" in text or "\0" in text:
            raise errors.RequestRefused(
                "a header of the object holds a line break", subject=self._subject(request)
            )
        return lines if text.isascii() else [x.encode(errors="surrogateescape") for x in lines]

    def _prepare(
        self, c: pycurl.Curl, request: Request, receiver: Receiver, sender: Sender | None
    ) -> None:
        host, path = self._target(request)
        query = quote_query(request.query) if request.query else ""
        c.setopt(pycurl.URL, f"{self._scheme}://{host}{path}" + (f"?{query}" if query else ""))
        c.setopt(pycurl.HTTPHEADER, self._headers(request, host, path, query))
        c.setopt(pycurl.HEADERFUNCTION, receiver.header)
        c.setopt(pycurl.WRITEFUNCTION, receiver.write)
        if sender is not None:
            c.setopt(pycurl.INFILESIZE_LARGE, sender.size)
            c.setopt(pycurl.READFUNCTION, sender.read)
            c.setopt(pycurl.SEEKFUNCTION, sender.seek)
        elif request.method in _SENDS:
            body = request.body
            c.setopt(pycurl.POSTFIELDS, b"".join(body.chunks()) if body else b"")

    def _perform(
        self, handle: pycurl.Curl, request: Request, receiver: Receiver, sender: Sender | None
    ) -> int:
        try:
            handle.perform()
        except pycurl.error as refused:
            # What our own callbacks raised is the cause; libcurl's word for it is only an echo.
            if sender is not None and sender.failure is not None:
                raise sender.failure from None
            if receiver.failure is not None:
                raise receiver.failure from None
            if receiver.complete:
                return receiver.status
            self._cancellation.check()
            number, said = _number_and_text(refused)
            raise self._failure(number, said, request) from None
        if receiver.is_cut:
            # libcurl takes a connection that ends in a head for the end of the answer.
            raise errors.BodyTruncated(
                "the answer ended in its head", subject=self._subject(request)
            )
        receiver.settle()
        if receiver.missing:
            raise errors.BodyTruncated(
                f"{receiver.missing} bytes of the range did not come",
                subject=self._subject(request),
            )
        return receiver.status

    def _failure(self, number: int, said: str, request: Request) -> LakebedError:
        subject = self._subject(request)
        said = _without_proxy(number, said, self.endpoint.proxy)
        if number in (pycurl.E_PARTIAL_FILE, pycurl.E_READ_ERROR):
            return errors.BodyTruncated(f"the body was cut short: {said}", subject=subject)
        # A handshake that the network ended says nothing about certificates.
        cut = number == pycurl.E_SSL_CONNECT_ERROR and any(word in said for word in _CUT)
        if number in _TLS and not cut:
            return errors.TlsRefused(
                f"TLS failed: {said}",
                subject=f"{self.endpoint.name} ({self.endpoint.url})",
                advice="check `endpoint`, or give the store's certificate authority as `ca`",
            )
        unreachable = errors.StoreUnreachable(
            said or f"libcurl error {number}",
            subject=f"{self.endpoint.name} ({self.endpoint.url})",
            advice="is the store running, and are `endpoint` and `proxy` right?",
        )
        unreachable.connected = number != pycurl.E_COULDNT_CONNECT
        return unreachable


def _check_key(key: str) -> None:
    """Raise KeyUnsupported for what no S3 store can hold."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise errors.KeyUnsupported("a key is UTF-8", subject=ascii(key)) from None
    if not 1 <= size <= MAX_KEY_BYTES:
        what = f"a key has 1 to {MAX_KEY_BYTES} bytes, not {size}"
        raise errors.KeyUnsupported(what, subject=key[:60])


def _number_and_text(refused: pycurl.error) -> tuple[int, str]:
    return int(refused.args[0]), str(refused.args[-1])


def _without_proxy(number: int, said: str, proxy: str | None) -> str:
    """libcurl's words without the URL of the proxy, for it may hold a password."""
    if proxy:
        said = said.replace(proxy, "the proxy")
    # Of a URL that it cannot read libcurl quotes what fits into its words: cut, or the one of a
    # variable of the environment, it is no text that we know.
    before, quote, _ = said.partition("'")
    return f"{before}the proxy" if quote and number == pycurl.E_COULDNT_RESOLVE_PROXY else said


_CUT = ("reset by peer", "SSL_ERROR_SYSCALL", "unexpected eof")
_TLS = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
    }
)


def _is_streamed(body: Body | None) -> TypeGuard[Body]:
    return body is not None and not (isinstance(body, Buffer) and body.size <= JOINED)


_SENDS = ("PUT", "POST")


class _Kind(NamedTuple):
    """What the requests of one handle have in common."""

    method: str
    streamed: bool
    works: bool

    @property
    def sends(self) -> bool:
        return self.method in _SENDS


def _ignore(data: object) -> int:
    return 0
