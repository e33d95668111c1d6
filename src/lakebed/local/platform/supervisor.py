"""The supervisor: starts components in order, waits for each, restarts what ends, ends them all.

Each is a child that the kernel ends with us, whatever ends us.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lakebed.errors import ConfigurationError, LakebedError
from lakebed.local.child import Child
from lakebed.local.platform.component import Component
from lakebed.local.platform.home import Home, Standing
from lakebed.store.cancellation import Cancellation

START = 60.0
"""Seconds that a component has to become ready."""
POLL = 0.1
STEADY = 30.0
"""Seconds after which a component that was restarted counts as well again."""
LONGEST = 30.0
"""Seconds between two restarts at the most; they double from one second."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    component: Component
    standing: Standing
    child: Child | None = None
    failures: int = 0
    again_at: float = 0.0
    settled: bool = field(default=False)


class Supervisor:
    """Runs components until it is cancelled."""

    def __init__(
        self,
        home: Home,
        components: Sequence[Component],
        cancellation: Cancellation,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home, self._cancellation, self._clock = home, cancellation, clock
        self._all = [
            _Running(one, Standing(one.name, "stopped", one.version, one.url)) for one in components
        ]

    def run(self, ready: Callable[[Sequence[Standing]], None]) -> None:
        """Until the cancellation; `ready` is told once all are. Nothing is left running.

        Raises ConfigurationError where a component does not start, and what cancelled it before
        all were ready.
        """
        try:
            for one in self._all:
                self._start(one)
                self._await(one)
            ready([one.standing for one in self._all])
            while not self._is_over():
                self._look()
        finally:
            self._stop()

    def _is_over(self) -> bool:
        """Whether it was cancelled within a short while."""
        try:
            self._cancellation.wait(POLL)
        except LakebedError:
            return True
        return False

    def _start(self, one: _Running) -> None:
        component = one.component
        component.prepare()
        log = self._home.log(component.name)
        one.child = Child(component.argv, component.environment, log, (), account=component.account)
        try:
            one.child.start()
        except OSError as error:
            raise ConfigurationError(
                f"it cannot be started: {error}", subject=component.name
            ) from error
        self._tell(one, state="starting", pid=one.child.pid, since=time.time())

    def _await(self, one: _Running) -> None:
        assert one.child is not None
        give_up = self._clock() + START
        while not one.component.is_ready():
            self._cancellation.wait(POLL)
            if one.child.ended or self._clock() > give_up:
                what = "ended" if one.child.ended else f"is not ready after {START:.0f} s"
                self._tell(one, state="failed", message=what)
                raise ConfigurationError(
                    f"it {what} while it started; its log ends with:\n{one.child.tail()}",
                    subject=one.component.name,
                )
        if not one.settled:
            one.component.settle()
            one.settled = True
        self._tell(one, state="ready", message="")

    def _look(self) -> None:
        now = self._clock()
        for one in self._all:
            if one.child is not None and one.child.ended:
                status = one.child.wait(0)
                one.child = None
                one.failures += 1
                one.again_at = now + min(LONGEST, 2.0 ** (one.failures - 1))
                _log.warning("%s ended with status %s", one.component.name, status)
                self._tell(one, state="restarting", pid=0, message=f"it ended with {status}")
            elif one.child is None and now >= one.again_at:
                self._restart(one)
            elif one.failures and now - one.again_at > STEADY:
                one.failures = 0

    def _restart(self, one: _Running) -> None:
        try:
            self._start(one)
            self._tell(one, restarts=one.standing.restarts + 1)
            self._await(one)
        except ConfigurationError as error:
            _log.warning("%s", error)
            if one.child is not None:
                one.child.stop(0)

    def _stop(self) -> None:
        """In the reverse order: nobody loses what it counts on before it has ended."""
        for one in reversed(self._all):
            if one.child is not None:
                one.child.stop(one.component.grace)
            self._tell(one, state="stopped", pid=0)

    def _tell(self, one: _Running, **change: str | int | float) -> None:
        one.standing = replace(one.standing, **change)  # type: ignore[arg-type]
        try:
            self._home.tell([each.standing for each in self._all])
        except (OSError, LakebedError) as error:
            _log.warning("how things stand could not be written down: %s", error)
