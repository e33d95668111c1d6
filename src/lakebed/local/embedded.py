"""A real S3 server over a folder, as long as a `with` block lasts.

with EmbeddedStore(Path("data/lake")) as store:
    store.endpoint      # http://127.0.0.1:23456
"""

import json
import os
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from lakebed.errors import ConfigurationError, StoreError
from lakebed.local import engines
from lakebed.local.address import Address
from lakebed.local.child import Child
from lakebed.local.engines.engine import Engine, Launch, Site
from lakebed.local.folder import Folder
from lakebed.local.knock import knock
from lakebed.store.s3.credentials import Credentials

START_SECONDS = 60.0
"""How long a server may take until it answers; MinIO needs 1 s, SeaweedFS 3 s on two cores."""
_POLL_SECONDS = 0.05
_ATTEMPTS = 5
"""Starts with another free port, where somebody took the first one meanwhile."""
_IN_USE = ("already in use", "address in use")
_MADE = (HTTPStatus.OK, HTTPStatus.CONFLICT)
"""Answers to the creation of a bucket after which it is there."""


class EmbeddedStore:
    """Serves `directory` at `address` (port 0: a free one) while the context is entered.

    `engine` is `minio` or `seaweedfs`; by default the one that the folder was made with, else
    the best that is present. `buckets` are created where they are missing. The identity is made
    for the folder and kept in it. Entering raises ConfigurationError for a folder, engine or
    address that cannot be used, and StoreError where the server does not answer. The server ends
    with the block, and with our process.
    """

    def __init__(
        self,
        directory: Path,
        address: str = "127.0.0.1:0",
        engine: str | None = None,
        buckets: Sequence[str] = (),
    ) -> None:
        self._directory = directory
        self._wanted = Address.parse(address)
        self._engine_name = engine
        self._buckets = buckets
        self._engine: Engine | None = None
        self._folder: Folder | None = None
        self._child: Child | None = None
        self._residue: tuple[Path, ...] = ()
        self._credentials = Credentials("", "")
        self.endpoint = ""

    def __enter__(self) -> Self:
        folder = self._folder = Folder.claim(self._directory)
        try:
            self._engine = engines.choose(self._engine_name or folder.engine)
            folder.adopt(self._engine.name)
            self._credentials = Credentials(*folder.identity())
            address = self._start(folder, self._engine)
            self.endpoint = f"http://{address}"
            for bucket in self._buckets:
                self._create(address, bucket)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def access_key(self) -> str:
        return self._credentials.access_key

    @property
    def secret_key(self) -> str:
        return self._credentials.secret_key

    @property
    def engine(self) -> str:
        """The engine's name; empty before it is chosen."""
        return self._engine.name if self._engine else self._engine_name or ""

    @property
    def pid(self) -> int:
        """The server's process id; 0 before it was started."""
        return self._child.pid if self._child else 0

    def wait(self, timeout: float | None = None) -> int | None:
        """Block until the server ends by itself; its exit status, or None after `timeout` s."""
        return self._child.wait(timeout) if self._child else None

    def configuration(self, name: str) -> str:
        """The lines of a `lakebed.toml` that name this store; they refer to its secrets."""
        if self._folder is None:
            raise ConfigurationError("the store is not served", subject=str(self._directory))
        fields = {
            "endpoint": self.endpoint,
            "access_key": f"file:{self._folder.access_key_file}",
            "secret_key": f"file:{self._folder.secret_key_file}",
        }
        lines = (f"{key} = {json.dumps(value)}" for key, value in fields.items())
        return "\n".join((f"[stores.{name}]", *lines, ""))

    def _start(self, folder: Folder, engine: Engine) -> Address:
        """Where a client reaches the server, once it answers."""
        for _ in range(1 if self._wanted.port else _ATTEMPTS):
            address = self._wanted.with_free_port()
            if self._started_at(address, folder, engine):
                return address.reachable
        raise ConfigurationError(
            "another program listens there",
            subject=str(self._wanted),
            advice="choose another --address, or port 0 for a free one",
        )

    def _started_at(self, address: Address, folder: Folder, engine: Engine) -> bool:
        """Whether the server answers at `address`; False where the port is taken."""
        launch = self._launch(address, folder, engine)
        self._residue = launch.residue
        child = self._child = Child(launch.argv, _environment(launch), folder.log, (folder.lock,))
        try:
            child.start()
        except OSError as error:
            raise self._failed(child, f"the server cannot be started: {error}") from error
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if child.wait(_POLL_SECONDS) is not None:
                if any(words in child.tail() for words in _IN_USE):
                    return False
                raise self._failed(child, "the server ended while it started")
            status = knock(address.reachable, self._credentials, "GET", "/")
            if status == HTTPStatus.OK and launch.is_ready():
                return True
        raise self._failed(child, f"the server does not answer after {START_SECONDS:.0f} s")

    def _launch(self, address: Address, folder: Folder, engine: Engine) -> Launch:
        binary = engine.binary()
        if binary is None:
            raise ConfigurationError("its program is gone", subject=engine.name)
        site = Site(
            data=folder.subfolder("data"),
            private=folder.subfolder("private"),
            address=address,
            credentials=self._credentials,
        )
        return engine.launch(binary, site)

    def _create(self, address: Address, bucket: str) -> None:
        status = knock(address, self._credentials, "PUT", f"/{bucket}")
        if status not in _MADE:
            raise StoreError(
                f"the bucket cannot be created (status {status})",
                subject=bucket,
                advice="a bucket has 3 to 63 lower-case letters, digits, dots and dashes",
            )

    def _failed(self, child: Child, what: str) -> StoreError:
        log = child.tail()
        for secret in (self.access_key, self.secret_key):
            log = log.replace(secret, "***")
        shown = f"{what}; its log ends with:\n{log}" if log else what
        return StoreError(shown, subject=str(self._directory))

    def _end(self) -> None:
        if self._child is not None and self._engine is not None:
            self._child.stop(self._engine.grace)
        for path in self._residue:
            path.unlink(missing_ok=True)
        if self._folder is not None:
            self._folder.release()
            self._folder = None


def _environment(launch: Launch) -> dict[str, str]:
    """Nothing of ours but where to find programs: settings and secrets stay with us."""
    ours = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return ours | dict(launch.environment)
