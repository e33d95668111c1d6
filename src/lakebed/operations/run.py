"""The platform: every operation begins, goes on and ends here, and the ledger knows of each."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from itertools import islice
from types import TracebackType
from typing import Self

from lakebed.database.engine import open_engine
from lakebed.errors import (
    Cancelled,
    DurationReached,
    Interrupted,
    LakebedError,
    LeaseLost,
    LedgerError,
    OperationError,
    UsageError,
)
from lakebed.model.location import Location
from lakebed.model.objects import Object
from lakebed.model.operation import (
    Kind,
    OperationState,
    Request,
    Summary,
)
from lakebed.model.quarantine import Quarantined
from lakebed.observe.telemetry import UNOBSERVED, Observer, Telemetry
from lakebed.operations.abandoned import AbandonedUploads
from lakebed.operations.ends import Ends
from lakebed.operations.lease import Lease
from lakebed.operations.ledger import Ledger
from lakebed.operations.memory import LedgerMemory
from lakebed.operations.operation import Operation
from lakebed.operations.quarantine import Which, listed, release
from lakebed.operations.states import verdict
from lakebed.operations.watch import Unwatched, Watch, WatchedRecorder
from lakebed.settings import Settings
from lakebed.store.build import identity_of
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import Capabilities
from lakebed.store.listing import unordered_objects
from lakebed.transfer import sync
from lakebed.transfer.filters import Selector
from lakebed.transfer.inventory import check_inventory
from lakebed.transfer.places import check_apart, check_locations
from lakebed.transfer.plan import Planned, Planner

_PAGE = 500
"""Steps of a plan that the ledger is asked about at once."""


class Platform:
    """Entered around its use; leaving it closes the ledger. `cancellation` stops what runs,
    `observer` is told of each operation."""

    def __init__(
        self,
        settings: Settings,
        cancellation: Cancellation | None = None,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self.settings = settings
        self._observer = observer
        self._cancellation = cancellation or Cancellation()
        self._ledger: Ledger | None = None
        self._ends = Ends(settings, lambda: self.ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ledger is not None:
            self._ledger.engine.dispose()

    def apply(self, settings: Settings) -> None:
        """What begins from now on has these settings; what runs keeps those that it began with,
        and the ledger stays."""
        self.settings, self._ends = settings, Ends(settings, lambda: self.ledger)

    @property
    def ledger(self) -> Ledger:
        """Opened when it is first asked for. Raises LedgerError."""
        if self._ledger is None:
            self._ledger = Ledger(open_engine(self.settings.ledger.get_secret_value()))
        return self._ledger

    def sync(self, request: Request, watch: Watch | None = None) -> Summary:
        """Do one operation (also one of kind VERIFY) to its end; what became of it.

        Raises UsageError before anything begins, RunningElsewhere, LeaseLost and LedgerError;
        every other error is the operation's end, and in its summary.
        """
        return self._run(self.ledger.create(self.checked(request)), watch, again=False)

    def checked(self, request: Request) -> Request:
        """The request with its stores named; what is wrong now would be wrong in a resume too, so
        that nothing is to be remembered of it. Raises UsageError."""
        source, destination = self._named(request.source), self._named(request.destination)
        Selector.of(request.options.filters)
        check_inventory(source, request.options)
        if request.kind is Kind.SYNC:
            ends = (identity_of(self.settings.store(end.store)) for end in (source, destination))
            check_locations(source, destination, same_endpoint=len(set(ends)) == 1)
        return replace(request, source=source, destination=destination)

    def resume(self, operation_id: str, watch: Watch | None = None) -> Summary:
        """Go on where it stopped; what failed or is in quarantine is tried again.

        What is completed stays as it is. Raises Cancelled where it was cancelled.
        """
        operation = self.ledger.get(operation_id)
        if not self.is_left(operation):
            return self.ledger.summary(operation.id)
        return self._run(operation.id, watch, again=True)

    def is_left(self, operation: Operation) -> bool:
        """Whether a resume finds anything to do. Raises Cancelled."""
        if operation.state is OperationState.CANCELLED:
            raise Cancelled(
                "it was cancelled", subject=operation.id, advice="start a new operation"
            )
        return operation.state is not OperationState.COMPLETED

    def cancel(self, operation_id: str) -> Summary:
        """Stop it for good, at once or as soon as the process that runs it hears of it.

        Raises UsageError where it has reached its end.
        """
        operation = self.ledger.get(operation_id)
        if operation.state is not OperationState.CANCELLED:
            try:
                self.ledger.request_cancel(operation.id)
            except OperationError:
                raise UsageError(
                    f"it is {operation.state}: nothing is left to cancel", subject=operation.id
                ) from None
        return self.ledger.summary(operation.id)

    def share(self, memory: int, bandwidth: int | None) -> None:
        """Of what several processes have together (bytes in flight, bytes a second), this one has
        so much from now on; what is held beyond it is not taken away."""
        self._ends.share(memory, bandwidth)

    def plan(self, request: Request) -> Iterator[Planned]:
        """What `sync` would decide, object by object; nothing is written anywhere."""
        with ExitStack() as stack:
            sides = stack.enter_context(
                self._ends.sides(request, self._cancellation.child(), writes=False)
            )
            planner = Planner(sides, LedgerMemory(self.ledger.engine, request), request.kind)
            steps = stack.enter_context(closing(planner.steps()))
            while page := list(islice(steps, _PAGE)):
                for step in planner.quarantined(page):
                    yield from step.foreseen()

    def list(self, location: Location) -> Iterator[Object]:
        """The objects of a location, in the order in which the store lists them."""
        with self._ends.store(location, self._cancellation.child()) as store:
            for found in unordered_objects(store, location.bucket, location.path):
                if location.is_folder or found.key == location.path:
                    yield found

    def capabilities(self, location: Location, refresh: bool = False) -> Capabilities:
        """What a probe found that the bucket can do, within a day or now."""
        cancellation = self._cancellation.child()
        with self._ends.store(location, cancellation) as store:
            return self._ends.capabilities(
                store, location, cancellation, probe=True, refresh=refresh
            )

    def probed(self) -> Iterator[tuple[Location, Capabilities]]:
        """Each bucket that was probed within a day, and what was found."""
        return self._ends.probed()

    def quarantined(self, which: Which = None) -> Iterator[Quarantined]:
        """What is in quarantine at a source, read as a stream."""
        return listed(self.ledger.engine, self._known(which))

    def release(self, which: Which = None) -> int:
        """Forget that these pairs are in quarantine; how many."""
        return release(self.ledger.engine, self._known(which))

    def _known(self, which: Which) -> Which:
        return self._named(which) if isinstance(which, Location) else which

    @property
    def uploads(self) -> AbandonedUploads:
        """The uploads that operations left unfinished."""
        return AbandonedUploads(self.ledger, self._ends, self._cancellation.child())

    def _named(self, location: Location) -> Location:
        """The location with its store's name: the ledger outlives what `s3://` means today."""
        return replace(location, store=self.settings.store(location.store).name)

    def _run(self, operation_id: str, watch: Watch | None, *, again: bool) -> Summary:
        lease = Lease.acquire(self.ledger.engine, operation_id)
        try:
            return self.run(lease, watch, again=again)
        except LedgerError as error:
            # Nobody takes it up by itself: who resumes it does not have to wait for its lease.
            with suppress(LakebedError):
                self.ledger.finish(operation_id, lease.fence, OperationState.INTERRUPTED, error)
            raise

    def run(self, lease: Lease, watch: Watch | None = None, *, again: bool) -> Summary:
        """Do what the operation of a lease is for, to its end; `again`: with what has failed.

        Raises LeaseLost and LedgerError; every other error is the operation's end.
        """
        cancellation = self._cancellation.child()
        operation_id = lease.operation_id
        request = self.ledger.get(operation_id).request
        watch = watch or Unwatched()
        watch.started(operation_id)
        error: LakebedError | None = None
        with (
            self._observer.operation(operation_id, request.kind) as telemetry,
            lease.held(cancellation),
            _deadline(request.options.max_duration, cancellation),
        ):
            try:
                self._transfer(request, lease, cancellation, watch, telemetry, again=again)
            except (LeaseLost, LedgerError):
                raise  # whoever has the lease, or will have it, goes on from what is there
            except LakebedError as ended:
                error = ended
            except BaseException as defect:
                broken = LakebedError(f"a defect: {type(defect).__name__}: {defect}")
                self.ledger.finish(operation_id, lease.fence, OperationState.FAILED, broken)
                telemetry.ended(OperationState.FAILED, broken)
                raise
            state = _state(error) or verdict(self.ledger.summary(operation_id))
            self.ledger.finish(operation_id, lease.fence, state, error)
            telemetry.ended(state, error)
        return self.ledger.summary(operation_id)

    def _transfer(
        self,
        request: Request,
        lease: Lease,
        cancellation: Cancellation,
        watch: Watch,
        telemetry: Telemetry,
        *,
        again: bool,
    ) -> None:
        with (
            self._ends.sides(
                request, cancellation, writes=True, telemetry=telemetry, fence=lease
            ) as sides,
            WatchedRecorder(request, lease, cancellation, watch, telemetry) as recorder,
        ):
            if request.kind is Kind.SYNC:
                check_apart(sides.source, sides.destination)
            if again:
                recorder.retry_failed()
            with (
                recorder.told(sides.progress),
                telemetry.levels(lambda: recorder.levels(sides)),
            ):
                sync.run(sides, recorder, request.kind)


def _state(error: LakebedError | None) -> OperationState | None:
    if error is None:
        return None
    if isinstance(error, Cancelled):
        return OperationState.CANCELLED
    if isinstance(error, (Interrupted, DurationReached)):
        return OperationState.INTERRUPTED
    return OperationState.FAILED


@contextmanager
def _deadline(seconds: float | None, cancellation: Cancellation) -> Iterator[None]:
    if seconds is None:
        yield
        return
    over = DurationReached(f"--max-duration of {seconds:g} s is over")
    timer = threading.Timer(seconds, cancellation.stop, [over])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
