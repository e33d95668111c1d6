"""The configuration of a replica: what is in force, what was refused, and taking over a new one.

Its files are looked at every half second, and taken up when they have not changed since the look
before: an editor may be in the middle of writing. SIGHUP has them taken up at once.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.requests import HTTPConnection

from lakebed.configurations.effective import Value, effective, key_of
from lakebed.configurations.history import History, Version, author
from lakebed.errors import ConfigurationError, LakebedError, LedgerError
from lakebed.executor.address import check_address
from lakebed.executor.service import Service
from lakebed.settings import Settings
from lakebed.settings.check import Verdict, check, check_literals
from lakebed.settings.finding import Finding
from lakebed.settings.layers import Layers, Sources
from lakebed.settings.restart import until_restart
from lakebed.settings.shape import leaves

POLL = 0.5
"""Seconds between two looks at the files."""
AGAIN = 5.0
"""Seconds until what the database could not record is offered to it again."""
Signature = Sequence[tuple[int, ...] | None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A configuration that was not taken over. `at` in epoch seconds."""

    at: float
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """What a replica works with. `settings` as they are written: secrets may be references."""

    layers: Layers
    settings: Settings
    at: float
    restart: tuple[str, ...] = ()
    """Keys that have changed, and whose change takes a restart."""
    version: Version | None = None
    unrecorded: str = ""
    """Why it is not remembered."""

    def values(self) -> list[Value]:
        waiting = {
            key_of(place)
            for place, _ in leaves(self.settings)
            if any((key_of(place) + ".").startswith(f"{key}.") for key in self.restart)
        }
        return [
            replace(value, origin="until a restart") if value.key in waiting else value
            for value in effective(self.layers, self.settings)
        ]


class Reloader:
    """Belongs to one service. Of a service whose settings come from no files it watches nothing."""

    def __init__(self, service: Service, sources: Sources | None) -> None:
        """Raises ConfigurationError where the files are wrong, or hold secrets that they must not
        in this environment."""
        self.sources = sources
        self.refused: Refusal | None = None
        self._service = service
        self._asked = asyncio.Event()
        self._offered = 0.0
        self._seen = self._signature()
        layers = sources.read() if sources else Layers((), {})
        for finding in check_literals(layers):
            if finding.level == "error":
                raise finding.error()
        settings = layers.written() if sources else service.settings
        self.in_force = InForce(layers, settings, time.time())
        mode = service.settings.access.mode
        self._mode = mode if mode != settings.access.mode else None
        if sources:
            self._record()

    def hint(self) -> None:
        """Look at once; for the loop's own thread, as a signal's handler."""
        self._asked.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        before = self._seen
        while self.sources is not None:
            asked = await self._is_asked()
            now = await self._service.do(self._signature)
            if asked or (now != self._seen and now == before):
                self._seen = now
                await self.reload()
            before = now
            if self._is_to_be_recorded():
                await self._service.do(self._record)

    async def reload(self) -> None:
        """Take over what the files say now, or refuse it and go on as before."""
        if self.sources is None:
            return
        verdict = await self._service.do(lambda: check(self._sources()))
        if verdict.errors or verdict.layers is None or verdict.settings is None:
            self._refuse(verdict.errors)
        elif self.in_force.layers.files and not verdict.layers.files:
            # Somebody may be in the middle of replacing it; no service is meant to lose all stores.
            where = str(self.in_force.layers.files[0].path)
            self._refuse((Finding("the file is gone", where=where),))
        elif verdict.layers.files == self.in_force.layers.files:
            self.refused = None  # as it was: what was wrong has been taken back
        else:
            await self._take_over(verdict.layers, verdict.settings, verdict)

    async def _take_over(self, layers: Layers, written: Settings, verdict: Verdict) -> None:
        try:
            revealed = self._said(await self._service.do(layers.settings))
            settings, restart = until_restart(self._service.settings, revealed)
            for one in (settings, revealed):  # now, and after the restart that some of it takes
                check_address(one, self._service.host)
            self._service.apply(settings)
        except LakebedError as error:
            self._refuse((Finding(error.what, where=error.subject, advice=error.advice),))
            return
        kept, _ = until_restart(self.in_force.settings, written)
        self.in_force = InForce(layers, kept, time.time(), tuple(restart))
        self.refused = None
        await self._service.do(self._record)
        for finding in verdict.findings:
            _log.warning("%s", finding)
        for key in restart:
            _log.warning("configuration: %s has changed, which takes a restart", key)

    def _said(self, settings: Settings) -> Settings:
        """The settings with what was said at start, beside the files: none of them changes it."""
        if self._mode is None:
            return settings
        access = settings.access.model_copy(update={"mode": self._mode})
        return settings.model_copy(update={"access": access})

    def _refuse(self, findings: tuple[Finding, ...]) -> None:
        self.refused = Refusal(time.time(), findings)
        for finding in findings:
            _log.error("the configuration is refused, and the one before stays: %s", finding)

    def _is_to_be_recorded(self) -> bool:
        settled = self.in_force.version or self.in_force.unrecorded
        return not settled and time.monotonic() - self._offered > AGAIN

    def _record(self) -> None:
        now, self._offered = self.in_force, time.monotonic()
        try:
            history = History(self._service.platform.ledger.engine)
            version = history.record(now.layers, author())
        except LedgerError as error:
            _log.warning("the configuration is not recorded yet: %s", error)
        except ConfigurationError as error:
            _log.warning("the configuration is not recorded: %s", error)
            self.in_force = replace(now, unrecorded=str(error))
        else:
            _log.info("version %d of the configuration is in force", version.number)
            self.in_force = replace(now, version=version)

    async def _is_asked(self) -> bool:
        try:
            async with asyncio.timeout(POLL):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    def _sources(self) -> Sources:
        assert self.sources is not None
        return self.sources

    def _signature(self) -> Signature:
        """Differs where a file has come, gone or changed."""
        return [_stat(path) for path in self.sources.candidates()] if self.sources else []


def _stat(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def reloader_of(connection: HTTPConnection) -> Reloader:
    """A dependency of routes."""
    reloader: Reloader = connection.app.state.reloader
    return reloader
