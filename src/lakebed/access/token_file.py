"""The file in which scripts of this machine find the token of a replica, readable by its user."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lakebed.errors import ConfigurationError


@contextmanager
def token_file(folder: Path, port: int, token: str) -> Iterator[Path]:
    """It is there while the scope lasts. Raises ConfigurationError."""
    path = folder / f"executor-{port}.token"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            path.unlink()  # of a replica that was killed
        written = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(written, "w", encoding="ascii") as file:
            file.write(token + "\n")
    except OSError as error:
        raise ConfigurationError(
            f"the token cannot be written: {error.strerror}",
            subject=str(path),
            advice="set `state` to a folder that can be written",
        ) from None
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink()
