"""The command line in this process, on a platform that does as it is told."""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from lakebed.cli import platform as border
from lakebed.cli.display import Display
from lakebed.cli.entry import run
from lakebed.errors import LakebedError, UnknownOperation
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.operation import (
    Counters,
    ObjectState,
    OperationState,
    Request,
    Summary,
)
from lakebed.model.quarantine import Quarantined
from lakebed.model.report import Report
from lakebed.operations.ledger import Failure, Ledger
from lakebed.operations.operation import Operation
from lakebed.operations.watch import Snapshot, Value
from lakebed.settings import Settings
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import Capabilities
from lakebed.transfer.plan import Planned

ID = "1M7YYM0G0QAYJ2SP"
MOMENT = datetime(2026, 5, 8, 12, tzinfo=UTC)
REQUEST = Request(Location("a", "b"), Location("c", "d"))


def summary(
    state: OperationState = OperationState.COMPLETED, *, failed: int = 0, quarantined: int = 0
) -> Summary:
    return Summary(
        operation_id=ID,
        state=state,
        listed=3,
        copied=2,
        skipped=1,
        failed=failed,
        quarantined=quarantined,
        deleted=0,
        bytes=3 * 1024**2,
        seconds=2.0,
        lanes={"whole": 2},
        proofs={"publisher-sha256": 1, "etag-md5": 1},
    )


SNAPSHOT = Snapshot(
    listed=3,
    planned=2,
    planned_bytes=4 * 1024**2,
    skipped=1,
    done=1,
    failed=0,
    quarantined=0,
    deleted=0,
    bytes=1024**2,
    in_flight=1,
    listing=False,
    retries=2,
    seconds=1.0,
)


def operation(request: Request, state: OperationState) -> Operation:
    return Operation(
        id=ID,
        request=request,
        state=state,
        created=MOMENT.timestamp(),
        started=MOMENT.timestamp(),
        finished=None,
        cursor="",
        counters=Counters(),
        error=None,
        message="went wrong",
        note=None,
        owner="",
        fence=1,
        lease_until=0,
        cancel_requested=False,
        run_started=None,
        earlier_seconds=0,
    )


class FakeLedger(Ledger):
    """Knows of the one operation of its platform."""

    def __init__(self, platform: "FakePlatform") -> None:
        self._platform = platform

    def list(self, state: OperationState | None = None, limit: int = 100) -> "list[Operation]":
        found = self._platform.operations
        return [one for one in found if state in (None, one.state)][:limit]

    def get(self, prefix: str) -> Operation:
        asked = self._platform.requests[-1] if self._platform.requests else REQUEST
        for one in self._platform.operations or [operation(asked, self._platform.summary.state)]:
            if one.id.startswith(prefix):
                return one
        raise UnknownOperation("no such operation", subject=prefix)

    def summary(self, prefix: str) -> Summary:
        found = self.get(prefix)
        return replace(self._platform.summary, state=found.state, message=found.message)

    def report(self, prefix: str) -> Report:
        found = self.get(prefix)
        return Report(self._platform.summary, found.request, told=0.0, created=found.created)

    def failures(self, prefix: str) -> Iterator[Failure]:
        return iter(self._platform.failures)


@dataclass
class FakePlatform:
    """What it answers, and what it was asked."""

    summary: Summary = field(default_factory=summary)
    events: list[tuple[str, dict[str, Value]]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    decisions: list[Planned] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)
    found: Capabilities = field(default_factory=Capabilities)
    operations: list[Operation] = field(default_factory=list)
    error: LakebedError | Exception | None = None
    settings: Settings | None = None
    requests: list[Request] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    refreshed: list[bool] = field(default_factory=list)
    entries: list[Quarantined] = field(default_factory=list)
    asked: list[Location | str | None] = field(default_factory=list)
    meanwhile: Callable[[Cancellation], None] = lambda cancellation: None
    cancellation: Cancellation = field(default_factory=Cancellation)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    @property
    def ledger(self) -> Ledger:
        return FakeLedger(self)

    def sync(self, request: Request, watch: Display | None = None) -> Summary:
        self.requests.append(request)
        return self._run(watch)

    def resume(self, operation_id: str, watch: Display | None = None) -> Summary:
        self.resumed.append(operation_id)
        return self._run(watch)

    def cancel(self, operation_id: str) -> Summary:
        self.cancelled.append(operation_id)
        return self.summary

    def plan(self, request: Request) -> Iterator[Planned]:
        self.requests.append(request)
        yield from self.decisions

    def list(self, location: Location) -> Iterator[Object]:
        yield from self.objects

    def capabilities(self, location: Location, refresh: bool) -> Capabilities:
        self.refreshed.append(refresh)
        return self.found

    def quarantined(self, which: Location | None) -> Iterator[Quarantined]:
        self.asked.append(which)
        yield from self.entries

    def release(self, which: Location | str | None) -> int:
        self.asked.append(which)
        return len(self.entries)

    def _run(self, watch: Display | None) -> Summary:
        self.meanwhile(self.cancellation)
        if self.error is not None:
            raise self.error
        assert watch is not None
        watch.started(ID)
        watch.progress(SNAPSHOT)
        for kind, fields in self.events:
            watch.event(kind, fields)
        return self.summary


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Lakebed = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _this_folder_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith(("LAKEBED_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    root, ours = logging.getLogger(), logging.getLogger("lakebed")
    handlers, level = root.handlers[:], ours.level
    yield
    root.handlers[:] = handlers
    ours.setLevel(level)


@pytest.fixture
def lakebed(capsys: pytest.CaptureFixture[str]) -> Lakebed:
    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(arguments)
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    fake = FakePlatform()

    def open_fake(settings: Settings, cancellation: Cancellation, _: object) -> FakePlatform:
        fake.settings, fake.cancellation = settings, cancellation
        return fake

    monkeypatch.setattr(border, "open_platform", open_fake)
    return fake


def failure(key: str, state: ObjectState = ObjectState.FAILED) -> Failure:
    return Failure(key, state, "store-fault", f"{key}: the store broke")
