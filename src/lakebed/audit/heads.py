"""Heads of the log, exported to a file outside of the database: a tail that is cut is missed."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lakebed.audit.entry import Entry
from lakebed.errors import ConfigurationError
from lakebed.settings import Settings

FILE_NAME = "audit-heads.jsonl"


@dataclass(frozen=True, slots=True)
class Head:
    """What the last entry was at some moment."""

    number: int
    at: float
    mac: str
    """In hexadecimal digits."""

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(entry.number, entry.at, entry.mac.hex())

    def to_json(self) -> str:
        return json.dumps({"number": self.number, "at": self.at, "mac": self.mac})


def heads_of(settings: Settings) -> Path:
    """The file of a configuration."""
    return settings.audit.head or settings.state / FILE_NAME


def export(path: Path, head: Head) -> None:
    """Append a line, on the disk when this returns. Raises ConfigurationError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # One write: lines of several processes do not mix.
            os.write(descriptor, f"{head.to_json()}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigurationError(
            f"the head of the audit log cannot be exported: {error.strerror}",
            subject=str(path),
            advice="check its folder, or set audit.head",
        ) from None


def exported(path: Path, *, is_named: bool = False) -> Iterator[Head]:
    """Those in a file, none where there is no file, unless somebody named it. Raises
    ConfigurationError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        if is_named:
            raise ConfigurationError("there is no such file", subject=str(path)) from None
        return
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError("heads cannot be read", subject=str(path)) from None
    for number, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            yield Head(int(told["number"]), float(told["at"]), str(told["mac"]))
        except (ValueError, KeyError, TypeError):
            raise ConfigurationError("not a head", subject=f"{path}, line {number}") from None
