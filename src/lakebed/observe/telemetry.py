"""What the engine tells while it works. By default nobody listens, and it tells nothing.

`transfer` and `store` know this protocol only; `metrics` and `traces` are siblings that fulfil it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from lakebed.errors import LakebedError
from lakebed.model.operation import Counters, Kind, OperationState, Outcome, Unit

OK = "ok"
"""The code of a request that succeeded; of others it is that of their error."""

Act = Callable[[Unit], list[Outcome]]


@dataclass(frozen=True, slots=True)
class Requested:
    """One request to a store, as it ended: each attempt is one. Sizes are bytes of bodies.

    `subject` is `store:bucket/key`, as far as there is a bucket and a key; `server` is host and
    port; `ended` is in nanoseconds since the epoch. `sent` is 0 where it was refused.
    """

    store: str
    server: str
    verb: str
    subject: str
    code: str
    status: int | None
    ended: int
    seconds: float
    sent: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class Levels:
    """How things stand in one run, just now. Sizes in bytes."""

    units_in_flight: int = 0
    objects_pending: int = 0
    budget_held: int = 0
    budget_limit: int = 0


class Telemetry(Protocol):
    """Told of one operation, from all of its threads. Never raises, never waits."""

    @property
    def on(self) -> bool:
        """Whether requests are to be told at all."""
        ...

    def requested(self, request: Requested) -> None: ...

    def retried(self, store: str, verb: str, code: str) -> None:
        """A request is about to be sent again, after an error of this code."""
        ...

    def listed(self, store: str, keys: int) -> None:
        """A page of a listing came."""
        ...

    def acting(self, act: Act) -> Act:
        """`act`, with what is told of each unit around it; itself where that is nothing."""
        ...

    def planned(self, counters: Counters, seconds: float) -> None:
        """A batch of the plan is in the ledger, in a transaction of so many seconds."""
        ...

    def settled(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """These are in the ledger, in a transaction of so many seconds."""
        ...

    def levels(self, read: Callable[[], Levels]) -> AbstractContextManager[None]:
        """`read` may be asked at any moment while the scope lasts."""
        ...

    def ended(self, state: OperationState, error: LakebedError | None) -> None:
        """The run left the operation in this state."""
        ...


class Observer(Protocol):
    """Told of the operations of a process."""

    def operation(self, operation_id: str, kind: Kind) -> AbstractContextManager[Telemetry]:
        """The scope of one run."""
        ...


class Silent:
    """Nobody listens. What listens to something only inherits the rest."""

    @property
    def on(self) -> bool:
        return False

    def requested(self, request: Requested) -> None:
        return

    def retried(self, store: str, verb: str, code: str) -> None:
        return

    def listed(self, store: str, keys: int) -> None:
        return

    def acting(self, act: Act) -> Act:
        return act

    def planned(self, counters: Counters, seconds: float) -> None:
        return

    def settled(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        return

    @contextmanager
    def levels(self, read: Callable[[], Levels]) -> Iterator[None]:
        yield

    def ended(self, state: OperationState, error: LakebedError | None) -> None:
        return


class Unobserved:
    @contextmanager
    def operation(self, operation_id: str, kind: Kind) -> Iterator[Telemetry]:
        yield SILENT


SILENT: Telemetry = Silent()
UNOBSERVED: Observer = Unobserved()


class Several:
    """Tells each of several observers."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    @contextmanager
    def operation(self, operation_id: str, kind: Kind) -> Iterator[Telemetry]:
        with ExitStack() as stack:
            scopes = (one.operation(operation_id, kind) for one in self._observers)
            yield _Each([stack.enter_context(scope) for scope in scopes])


class _Each:
    def __init__(self, told: Sequence[Telemetry]) -> None:
        self._told = told
        self._of_requests = [one for one in told if one.on]

    @property
    def on(self) -> bool:
        return bool(self._of_requests)

    def requested(self, request: Requested) -> None:
        for one in self._of_requests:
            one.requested(request)

    def retried(self, store: str, verb: str, code: str) -> None:
        for one in self._of_requests:
            one.retried(store, verb, code)

    def listed(self, store: str, keys: int) -> None:
        for one in self._of_requests:
            one.listed(store, keys)

    def acting(self, act: Act) -> Act:
        for one in self._told:
            act = one.acting(act)
        return act

    def planned(self, counters: Counters, seconds: float) -> None:
        for one in self._told:
            one.planned(counters, seconds)

    def settled(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        for one in self._told:
            one.settled(outcomes, seconds)

    @contextmanager
    def levels(self, read: Callable[[], Levels]) -> Iterator[None]:
        with ExitStack() as stack:
            for one in self._told:
                stack.enter_context(one.levels(read))
            yield

    def ended(self, state: OperationState, error: LakebedError | None) -> None:
        for one in self._told:
            one.ended(state, error)
