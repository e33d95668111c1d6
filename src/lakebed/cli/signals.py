"""SIGINT and SIGTERM: ask everything to stop, and see to it that the process does."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from lakebed.errors import Exit, Interrupted
from lakebed.store.cancellation import Cancellation

GRACE_SECONDS = 4.5
"""How long the orderly way may take. Then the process just ends, as after a kill: resumable."""

_EXITS = {signal.SIGINT: Exit.SIGINT, signal.SIGTERM: Exit.SIGTERM}


class Signals:
    """While entered, the first signal stops `cancellation`; further ones change nothing."""

    def __init__(self, cancellation: Cancellation, grace: float | None = None) -> None:
        self._cancellation = cancellation
        self._grace = GRACE_SECONDS if grace is None else grace
        self._before: dict[int, signal.Handlers | signal._HANDLER] = {}
        self._last_resort: threading.Timer | None = None
        self.exit_code: Exit | None = None
        """What the process ends with; None where no signal came."""

    def __enter__(self) -> Self:
        for number in _EXITS:
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._last_resort is not None:
            self._last_resort.cancel()

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self.exit_code is not None:
            return
        received = signal.Signals(number)
        self.exit_code = _EXITS[received]
        self._last_resort = threading.Timer(self._grace, os._exit, [int(self.exit_code)])
        self._last_resort.daemon = True
        self._last_resort.start()
        self._cancellation.stop(Interrupted(f"interrupted by {received.name}"))
