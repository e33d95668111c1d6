"""One thread that makes many small writes into few large ones, in the order they were given."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from lakebed.errors import LakebedError
from lakebed.store.cancellation import Cancellation

GROUP = 500
"""Entries after which a group is written at once."""
LINGER = 0.05
"""Seconds that a group waits for more: how late at most an entry becomes durable. A transaction
costs as much as some 50 of its entries; what a crash takes with it is done again."""
BACKLOG = 20 * GROUP
"""Entries at which `put` waits, so that a slow disk costs time and not memory."""

T = TypeVar("T")


class Writer(Generic[T]):
    """Hands groups to `write` from its own thread, until its scope ends.

    Where `write` raises, `cancellation` is stopped with that error, what comes after is dropped,
    and `put` and the end of the scope raise it.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], None],
        cancellation: Cancellation,
        linger: float = LINGER,
    ) -> None:
        self._write = write
        self._cancellation = cancellation
        self._linger = linger
        self._changed = threading.Condition()
        self._waiting: list[T] = []
        self._closing = False
        self._writing = False
        self._error: LakebedError | None = None
        self._thread = threading.Thread(target=self._run, name="ledger-writer")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def put(self, entries: Sequence[T]) -> None:
        """Queue entries that belong together: they are written in one group."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < BACKLOG or self._error is not None)
            if self._error is not None:
                raise self._error
            first = not self._waiting
            self._waiting.extend(entries)
            # Waking the thread for each entry would cost more than writing it.
            if first or len(self._waiting) >= GROUP:
                self._changed.notify_all()

    def drain(self) -> None:
        """Wait until what was put so far is written; raise why it is not."""
        with self._changed:
            self._changed.wait_for(lambda: self._idle or self._error is not None)
            if self._error is not None:
                raise self._error

    @property
    def _idle(self) -> bool:
        return not self._waiting and not self._writing

    def _run(self) -> None:
        try:
            while group := self._next_group():
                self._write(group)
                with self._changed:
                    self._writing = False
                    self._changed.notify_all()
        except LakebedError as error:
            self._give_up(error)
        except Exception as error:
            # A defect of ours must not leave everybody waiting for a thread that died.
            self._give_up(LakebedError(f"the ledger's writer broke: {error!r}"))

    def _give_up(self, error: LakebedError) -> None:
        self._cancellation.stop(error)
        with self._changed:
            self._error = error
            self._waiting.clear()
            self._changed.notify_all()

    def _next_group(self) -> Sequence[T]:
        """Empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._changed.wait_for(self._is_full, self._linger)
            group, self._waiting = self._waiting, []
            self._writing = bool(group)
            self._changed.notify_all()
            return group

    def _is_full(self) -> bool:
        return self._closing or len(self._waiting) >= GROUP
