"""How the service and what it needs are: each looked at by itself, at once, with a deadline."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from functools import cache, partial

from lakebed.api.infrastructure import Component, Health
from lakebed.database.schema import HEAD
from lakebed.errors import LakebedError, LedgerError
from lakebed.executor.service import Service
from lakebed.observe.log import redact
from lakebed.operations.replicas import Replica, alive
from lakebed.settings.root import Settings
from lakebed.settings.store import StoreSettings
from lakebed.store.s3 import s5cmd

DEADLINE = 3.0
"""Seconds after which a component that was looked at counts as unhealthy."""
DATABASE = "database"
Look = Callable[[], Awaitable[tuple[Component, ...]]]


async def components(at: Service) -> list[Component]:
    """All of them, in a fixed order."""
    looks: dict[str, Look] = {
        DATABASE: partial(_database, at),
        "queue": partial(_queue, at),
        "replicas": partial(_replicas, at),
        "s5cmd": partial(_s5cmd, at),
    }
    for store in _configured(at.settings):
        looks[f"store:{store.name}"] = partial(_store, at, store)
    found = await asyncio.gather(*(_look(at, name, ask) for name, ask in looks.items()))
    return [component for each in found for component in each]


async def database(at: Service) -> Component:
    """Raises nothing: a database that is away is unhealthy."""
    return (await _look(at, DATABASE, partial(_database, at)))[0]


def overall(found: Sequence[Component]) -> Health:
    states = {component.name: component.status for component in found}
    if states.get(DATABASE) is Health.UNHEALTHY:
        return Health.UNHEALTHY
    return Health.HEALTHY if set(states.values()) == {Health.HEALTHY} else Health.DEGRADED


async def _look(at: Service, name: str, ask: Look) -> tuple[Component, ...]:
    try:
        async with asyncio.timeout(DEADLINE):
            return await at.looks.get(name, ask)
    except TimeoutError:
        return (_away(name, f"no answer within {DEADLINE:g} s"),)


async def _database(at: Service) -> tuple[Component, ...]:
    try:
        found = await at.do(at.database.look)
    except LedgerError as error:
        return (_away(DATABASE, str(error)),)
    return (_well(DATABASE, f"of schema {HEAD}", found.version, found.uptime),)


async def _queue(at: Service) -> tuple[Component, ...]:
    try:
        waiting = await at.do(at.queue.depth)
    except LedgerError as error:
        return (_away("queue", str(error)),)
    return (_well("queue", f"{waiting} operations wait, {at.crew.running} run here"),)


async def _replicas(at: Service) -> tuple[Component, ...]:
    """Without the database only of this one can anything be said."""

    def read() -> tuple[Component, ...]:
        now = at.queue.now()
        others = [one for one in alive(at.queue.engine, now) if one.id != at.replica.id]
        return tuple(_replica(one, one.running, now) for one in (at.replica, *others))

    try:
        return await at.do(read)
    except LedgerError:
        return (_replica(at.replica, at.crew.running, at.replica.started),)


def _replica(replica: Replica, running: int, now: float) -> Component:
    return _well(
        f"replica:{replica.id}",
        f"{running} operations run" + (f" at {replica.address}" if replica.address else ""),
        replica.version,
        max(0.0, now - replica.started),
    )


async def _store(at: Service, store: StoreSettings) -> tuple[Component, ...]:
    name = f"store:{store.name}"
    try:
        return (_well(name, await at.stores.knock(store, DEADLINE)),)
    except LakebedError as error:
        return (_away(name, redact(str(error))),)


async def _s5cmd(at: Service) -> tuple[Component, ...]:
    try:
        version = await at.stores.do(_s5cmd_version)
    except (OSError, subprocess.SubprocessError) as error:
        return (_away("s5cmd", f"it cannot be run: {error}"),)
    if version is None:
        return (_well("s5cmd", "not installed; stores are asked by Lakebed itself"),)
    return (_well("s5cmd", "installed", version),)


@cache
def _s5cmd_version() -> str | None:
    binary = s5cmd.find()
    if binary is None:
        return None
    asked = [binary, "version"]
    said = subprocess.run(asked, capture_output=True, text=True, timeout=DEADLINE, check=True)
    return said.stdout.strip()[:80]


def _configured(settings: Settings) -> list[StoreSettings]:
    """Those that somebody has configured. The built-in ones are always there, with whatever AWS's
    variables say of all programs, and not asked for it."""
    known = Settings().stores
    plain = {name: {"region": store.region, "ca": store.ca} for name, store in known.items()}
    return [
        store
        for name, store in sorted(settings.stores.items())
        if name not in known or store.model_copy(update=plain[name]) != known[name]
    ]


def _well(
    name: str, detail: str, version: str | None = None, uptime: float | None = None
) -> Component:
    return Component(
        name=name, status=Health.HEALTHY, version=version, uptime_seconds=uptime, detail=detail
    )


def _away(name: str, detail: str) -> Component:
    return Component(name=name, status=Health.UNHEALTHY, detail=redact(detail))
