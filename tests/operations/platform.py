"""A platform whose stores are in memory, under the names `src` and `dst`, with a ledger on disk."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from lakebed.model.location import Location
from lakebed.model.operation import Kind, Options, Request
from lakebed.observe.telemetry import SILENT, UNOBSERVED, Observer, Telemetry
from lakebed.operations import ends
from lakebed.operations.run import Platform
from lakebed.operations.watch import Snapshot
from lakebed.settings import Settings
from lakebed.settings.store import StoreSettings
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Buffer, Store
from lakebed.store.memory import MemoryStore
from lakebed.store.pace.paces import Limits
from lakebed.store.wrappers.fenced import Fence, Fenced
from lakebed.store.wrappers.forwarding import Forwarding
from lakebed.store.wrappers.measure import Measure

T = TypeVar("T")
Value = str | int | float | None


class Wired(Forwarding):
    """Does `before` ahead of each call: what the platform's stores do beside their work."""

    def __init__(self, inner: Store, before: Callable[[str, str], None]) -> None:
        super().__init__(inner)
        self._before = before

    def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
        self._before(verb, subject)
        return action()


class World:
    """Two stores with a bucket each, the settings that name them, and what was asked of them."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, packs: bool = False
    ) -> None:
        self.stores = {name: MemoryStore(name, buckets=["b"]) for name in ("src", "dst")}
        # Where nothing is packed, what is asked of a store is one call for each object.
        disabled = () if packs else (Capability.UNPACK,)
        self.settings = Settings(
            state=folder,
            stores={
                name: StoreSettings(
                    name=name, endpoint=f"http://{name}.test", anonymous=True, disable=disabled
                )
                for name in self.stores
            },
        )
        self.calls: list[tuple[str, str]] = []
        self.limits: list[Limits] = []
        self.hooks: list[Callable[[str, str], None]] = []
        self.cancellation = Cancellation()
        monkeypatch.setattr(ends, "open_store", self._open)

    def _open(
        self,
        settings: StoreSettings,
        cancellation: Cancellation,
        *,
        limits: Limits,
        telemetry: Telemetry = SILENT,
        fence: Fence | None = None,
        **_policies: object,
    ) -> Store:
        self.limits.append(limits)

        def before(verb: str, subject: str) -> None:
            cancellation.check()
            self.calls.append((verb, subject))
            for hook in self.hooks:
                hook(verb, subject)

        store: Store = self.stores[settings.name]
        wired = Wired(Fenced(store, fence) if fence else store, before)
        return Measure(wired, telemetry, f"{settings.name}.test") if telemetry.on else wired

    def platform(self, observer: Observer = UNOBSERVED) -> Platform:
        self.cancellation = Cancellation()
        return Platform(self.settings, self.cancellation, observer)

    def put(self, key: str, data: bytes, store: str = "src") -> None:
        self.stores[store].put("b", key, Buffer((data,)))

    def put_pair(self, key: str, data: bytes, published: bytes | None = None) -> None:
        digest = hashlib.sha256(data if published is None else published).hexdigest()
        self.put(key, data)
        self.put(f"{key}.CHECKSUM", f"{digest}  {key.rpartition('/')[2]}".encode())

    def keys(self, store: str = "dst") -> list[str]:
        return [found.key for found in self.stores[store].list_page("b").objects]

    def on(self, verb: str, part: str, action: Callable[[], object], *, nth: int = 1) -> None:
        """Do `action` ahead of the nth call of `verb` on a subject that holds `part`."""
        left = [nth]

        def hook(called: str, subject: str) -> None:
            if called == verb and part in subject:
                left[0] -= 1
                if left[0] == 0:
                    action()

        self.hooks.append(hook)

    def fail(self, verb: str, part: str, error: BaseException, *, nth: int = 1) -> None:
        def throw() -> None:
            raise error

        self.on(verb, part, throw, nth=nth)


class Seen:
    """A watch that remembers what it was told."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.snapshots: list[Snapshot] = []
        self.events: list[tuple[str, dict[str, Value]]] = []

    def started(self, operation_id: str) -> None:
        self.ids.append(operation_id)

    def progress(self, live: Snapshot) -> None:
        self.snapshots.append(live)

    def event(self, kind: str, fields: dict[str, Value]) -> None:
        self.events.append((kind, fields))


def request(kind: Kind = Kind.SYNC, options: Options | None = None) -> Request:
    chosen = options or Options(concurrency=2)
    return Request(Location.parse("src:b/"), Location.parse("dst:b/in/"), kind, chosen)
