"""The folder of an embedded store: who serves it, with which engine, for which identity.

DIR/access-key, secret-key    the identity, made for this folder; readable by its owner only
DIR/engine                    the engine whose format the data has
DIR/data/                     the engine's own
DIR/private/                  its configuration
DIR/server.log                what it printed since its last start
DIR/lock                      held as long as a server works on the folder
"""

import fcntl
import os
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from lakebed.errors import ConfigurationError

_MARK = "engine"
_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is ours to serve until `release`."""

    path: Path
    lock: int = field(repr=False)
    """Descriptor of the lock; a child that inherits it prolongs the lock to its own end."""

    @classmethod
    def claim(cls, path: Path) -> Self:
        """Make the folder where it is missing, and lock it.

        Raises ConfigurationError where another process serves it, or where it holds anything
        but an embedded store.
        """
        path = path.absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (path / "lock").exists() and any(path.iterdir()):
                raise ConfigurationError(
                    "the folder holds something else than an embedded store",
                    subject=str(path),
                    advice="name an empty or a new folder",
                )
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the folder cannot be used: {error.strerror}", subject=str(path)
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 20).decode(errors="replace").strip()
            os.close(lock)
            raise ConfigurationError(
                f"the folder is already served by another process ({holder or 'unknown'})",
                subject=str(path),
                advice="use that store, or stop its process first",
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        return cls(path, lock)

    def release(self) -> None:
        os.close(self.lock)

    @property
    def engine(self) -> str | None:
        """The engine that the data belongs to; None in a new folder."""
        mark = self.path / _MARK
        return mark.read_text().strip() if mark.exists() else None

    def adopt(self, engine: str) -> None:
        """Remember the engine; raises ConfigurationError where the data is another one's."""
        if self.engine is None:
            (self.path / _MARK).write_text(engine + "\n")
        elif self.engine != engine:
            raise ConfigurationError(
                f"the folder was made by {self.engine}, which {engine} cannot read",
                subject=str(self.path),
                advice=f"leave the engine out, or say {self.engine}, or name a new folder",
            )

    def subfolder(self, name: str) -> Path:
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def access_key_file(self) -> Path:
        return self.path / "access-key"

    @property
    def secret_key_file(self) -> Path:
        return self.path / "secret-key"

    def identity(self) -> tuple[str, str]:
        """Access key and secret key of this folder, made by the first call and kept."""
        access_key = "".join(secrets.choice(_ALPHABET) for _ in range(20))
        return (
            _kept(self.access_key_file, access_key),
            _kept(self.secret_key_file, secrets.token_urlsafe(30)),
        )


def _kept(path: Path, value: str) -> str:
    """What the private file holds, which is `value` where there was no file."""
    if not path.exists():
        # Under another name first: a crash leaves no half of a secret behind.
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value + "\n")
        draft.rename(path)
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(
            "others can read this secret", subject=str(path), advice=f"chmod 600 {path}"
        )
    return path.read_text().strip()
