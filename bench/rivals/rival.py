"""What a rival is: a name, a way to be found, and the commands that do a job."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lakebed.store.s3.credentials import Credentials

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".bench" / "rivals" / "bin"
"""Where `make bench` puts the rivals that come from the package index."""

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class End:
    """One side of a job. `store` is the name in a configuration."""

    store: str
    endpoint: str
    bucket: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}"


@dataclass(frozen=True, slots=True)
class Job:
    """Copy what the source's bucket has into the target's."""

    source: End
    target: End
    folder: Path
    """The rival's own: its home, working directory and temporary files."""
    credentials: Credentials = field(repr=False)
    again: bool = False
    """Whether the target may hold it already, so that both sides must be compared."""
    workers: int | None = None
    """Concurrency for rivals that have to be told; None: their defaults."""
    disable: tuple[str, ...] = ()
    """Capabilities of the target that Lakebed must not use."""
    stores: tuple[int, ...] = ()
    """The process ids of the servers."""

    @property
    def same_endpoint(self) -> bool:
        return self.source.endpoint == self.target.endpoint

    @property
    def down(self) -> str:
        """The folder for rivals that must go through local disk."""
        return str(self.folder / "down")


class Rival(Protocol):
    """One client, with one set of flags."""

    @property
    def name(self) -> str: ...

    @property
    def proof(self) -> str:
        """What it checks about the copied bytes, by its documentation."""
        ...

    def version(self) -> str | None:
        """What it says of itself; None where it is not on this machine."""
        ...

    def commands(self, job: Job) -> list[Command]:
        """Run one after the other. No secret is among the arguments."""
        ...

    def environment(self, job: Job) -> Mapping[str, str]:
        """What it needs besides PATH, HOME and the AWS variables."""
        ...

    def told(self, log: str) -> str:
        """What of its output belongs to the results; empty for most."""
        ...


def program(name: str) -> str:
    """The program of this name, of the rivals' environment before the PATH; "" where none is."""
    found = shutil.which(name, path=str(INSTALLED)) or shutil.which(name)
    return found or ""


def first_line(*command: str) -> str | None:
    """The first line that a program prints of itself; None where there is no such program."""
    if not command[0]:
        return None
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.partition("\n")[0].strip()
