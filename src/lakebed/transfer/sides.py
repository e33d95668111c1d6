"""The two ends of an operation, and what everything that moves bytes between them shares."""

from dataclasses import dataclass, field

from lakebed.model.location import Location
from lakebed.model.objects import Head, Object
from lakebed.model.operation import Options
from lakebed.observe.telemetry import SILENT, Telemetry
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import Capabilities, Capability
from lakebed.store.contract import Store
from lakebed.store.pace.pace import Pace
from lakebed.transfer.budget import Budget
from lakebed.transfer.progress import Progress
from lakebed.transfer.uploads import Uploads, UploadsInMemory


@dataclass(frozen=True, slots=True)
class Side:
    """One end: a store, a location in it, and what its bucket can do."""

    store: Store
    location: Location
    capabilities: Capabilities
    sidecars: bool = True
    """Whether `X.CHECKSUM` publishes the digest of `X` here (`digests = "sidecar"`)."""
    pace: Pace = field(default_factory=Pace)

    @property
    def bucket(self) -> str:
        return self.location.bucket


@dataclass(frozen=True, slots=True)
class Sides:
    """Source and destination under one budget."""

    source: Side
    destination: Side
    options: Options
    budget: Budget
    cancellation: Cancellation
    progress: Progress = field(default_factory=Progress)
    telemetry: Telemetry = SILENT
    uploads: Uploads = field(default_factory=UploadsInMemory)

    def passed(self, size: int) -> None:
        """Told of bytes as they pass."""
        self.progress.add_passed(size)

    def width(self) -> int:
        """Objects in flight now: what both ends take together, for an object is at one of them at
        a time, or hands its bytes from one to the other. The progress shows it."""
        level = self.source.pace.level + self.destination.pace.level
        most = self.options.concurrency
        self.progress.concurrency = level if most is None else min(level, most)
        return self.progress.concurrency

    @property
    def same_endpoint(self) -> bool:
        ours = self.source.store.properties.identity
        return ours == self.destination.store.properties.identity

    @property
    def copies(self) -> bool:
        """Whether the store copies by itself, so that no byte need pass us."""
        return self.same_endpoint and Capability.COPY in self.destination.capabilities


@dataclass(frozen=True, slots=True)
class Job:
    """One object to move: the revision that was listed, to `key` at the destination."""

    source: Object
    key: str
    held: str | None = None
    """The ETag of what the destination held under `key` when it was listed."""
    digest: str | None = None
    """The publisher's SHA-256 in hex, where there is one."""
    sha256: str | None = None
    """The source's own, where Lakebed brought it there: see `Item.sha256`."""
    head: Head | None = None
    content: tuple[bytes, ...] | None = None
    """The object's head and bytes, where they have been read and need not be again."""
