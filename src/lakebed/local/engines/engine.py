"""What the embedded store needs to know of an engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lakebed.local.address import Address
from lakebed.store.s3.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Site:
    """Where a server works: its folders, its address, and the identity it must accept."""

    data: Path
    """Holds the objects."""
    private: Path
    """For the engine's own files; readable by its owner only."""
    address: Address
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start the server. Secrets are in `environment` or in files, never in `argv`."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    residue: tuple[Path, ...] = ()
    """Files outside the site that the server may leave behind."""
    is_ready: Callable[[], bool] = lambda: True
    """Asked once the server answers: whether it can also read and write objects."""


class Engine(Protocol):
    """One S3 server program."""

    @property
    def name(self) -> str: ...

    @property
    def grace(self) -> float:
        """Seconds that the server gets to end by itself when asked to."""
        ...

    def binary(self) -> Path | None:
        """Where the program is, or None."""
        ...

    def launch(self, binary: Path, site: Site) -> Launch: ...
