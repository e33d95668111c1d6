"""What a run has settled so far, for a display. The ledger, not this, is the truth."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from lakebed.model.operation import ObjectState, Outcome


@dataclass(slots=True)
class Live:
    """Objects by their end, in this run, and the bytes of the done ones. Safe between threads."""

    done: int = 0
    failed: int = 0
    quarantined: int = 0
    deleted: int = 0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        with self._lock:
            for outcome in outcomes:
                match outcome.state:
                    case ObjectState.DONE:
                        self.done += 1
                        self.bytes += outcome.size
                    case ObjectState.FAILED:
                        self.failed += 1
                    case ObjectState.QUARANTINED:
                        self.quarantined += 1
                    case ObjectState.DELETED:
                        self.deleted += 1
                    case _:
                        pass  # still pending
