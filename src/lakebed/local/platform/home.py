"""The folder of a platform: who runs it, at which ports, with which secrets, and how it stands.

DIR/lock            held by the supervisor; has its process id
DIR/lakebed.toml    the configuration of the platform, made once; stores may be added to it
DIR/ports.json      the port of each component, kept from one start to the next
DIR/state.json      how each component stands, as the supervisor saw it last
DIR/logs/NAME.log   what a component printed since its last start
"""

import fcntl
import json
import os
import secrets
import select
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TypeVar

from pydantic import TypeAdapter

from lakebed.errors import ConfigurationError
from lakebed.local.address import Address, free_ports
from lakebed.local.platform.ports import holder_of

HOST = "127.0.0.1"
ENDING = 60.0
"""Seconds that a supervisor has to end all, before it is killed."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a component stands. `state` is `starting`, `ready`, `restarting`, `failed`, `stopped`."""

    name: str
    state: str
    version: str
    url: str
    pid: int = 0
    since: float = 0.0
    """When its process was started, in epoch seconds."""
    restarts: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    path: Path

    @classmethod
    def at(cls, path: Path) -> Self:
        """Raises ConfigurationError where the folder is not to be had."""
        path = path.expanduser().absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (path / "logs").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the folder cannot be used: {error.strerror}", subject=str(path)
            ) from error
        return cls(path)

    # --- who runs it -----------------------------------------------------------------------------

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Run the platform for the scope.

        Raises ConfigurationError where another supervisor runs here.
        """
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise ConfigurationError(
                f"the platform runs already (process {self.supervisor() or 'unknown'})",
                subject=str(self.path),
                advice="see `lakebed status`, or stop it with `lakebed down`",
            ) from None
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(lock)

    def supervisor(self) -> int | None:
        """The process that runs the platform; None where none does."""
        with suppress(OSError):
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(os.pread(lock, 20, 0) or b"0")
            finally:
                os.close(lock)
        return None

    def stop(self) -> None:
        """End the supervisor, where one runs, and with it all that it has started."""
        running = self.supervisor()
        if not running:
            return
        with suppress(ProcessLookupError):
            process = os.pidfd_open(running)
            try:
                if self.supervisor() != running:
                    return  # it has ended, and its number may be somebody else's by now
                signal.pidfd_send_signal(process, signal.SIGTERM)
                if not select.select([process], [], [], ENDING)[0]:
                    # The kernel ends its children with it.
                    signal.pidfd_send_signal(process, signal.SIGKILL)
                    select.select([process], [], [], ENDING)
            finally:
                os.close(process)

    # --- where it answers ------------------------------------------------------------------------

    def ports(self, preferred: Mapping[str, int]) -> dict[str, int]:
        """The port of each component: the one it had, else the preferred one where it is free,
        else a free one. Raises ConfigurationError where somebody else has the one it had."""
        kept = self._read("ports.json", _PORTS) or {}
        for name, wanted in preferred.items():
            if name in kept:
                self._check_free(name, kept[name])
            else:
                taken = holder_of(wanted) is not None
                kept[name] = free_ports(1, HOST)[0] if taken else wanted
        self._write("ports.json", kept)
        return kept

    def _check_free(self, name: str, port: int) -> None:
        holder = holder_of(port)
        if holder is not None:
            raise ConfigurationError(
                f"port {port} of {name} is taken by {holder}",
                subject=str(self.path),
                advice=f"end that process, or delete {self.path / 'ports.json'} to take others",
            )

    def address(self, port: int) -> Address:
        return Address(HOST, port)

    # --- what it keeps ---------------------------------------------------------------------------

    def secret(self, name: str) -> str:
        """A secret of the platform, made by the first call and kept in a private file."""
        path = self.path / name
        if not path.exists():
            self.keep(name, secrets.token_urlsafe(30))
        return path.read_text().strip()

    def keep(self, name: str, text: str) -> Path:
        """Write a private file, whole or not at all."""
        path, draft = self.path / name, self.path / f"{name}.new"
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
        draft.rename(path)
        return path

    def folder(self, name: str) -> Path:
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def log(self, name: str) -> Path:
        return self.path / "logs" / f"{name}.log"

    def logs(self) -> dict[str, Path]:
        """By the name of the component."""
        return {path.stem: path for path in (self.path / "logs").glob("*.log")}

    # --- how it stands ---------------------------------------------------------------------------

    def tell(self, standings: Sequence[Standing]) -> None:
        self._write("state.json", [asdict(one) for one in standings])

    def told(self) -> list[Standing]:
        """As the supervisor saw it last."""
        return self._read("state.json", _STANDINGS) or []

    def _write(self, name: str, value: object) -> None:
        self.keep(name, json.dumps(value))

    def _read(self, name: str, form: TypeAdapter[T]) -> T | None:
        with suppress(FileNotFoundError):
            return form.validate_json((self.path / name).read_bytes())
        return None


_PORTS, _STANDINGS = TypeAdapter(dict[str, int]), TypeAdapter(list[Standing])
