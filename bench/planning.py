"""What planning costs: a sync with nothing to do, beside two bare listings, and ten million keys.

    python bench/planning.py [small] [large] [synthetic]

`small` has 10,000 objects at each of two MinIO servers, `large` 200,000: whole processes, in turns,
medians. The listings are those of the same client, both at once, in a process of their own.
`synthetic` plans 10,000,000 keys at each of two stores that make them up, in this process.
"""

import io
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lakebed.local.embedded import EmbeddedStore
from lakebed.model.location import Location
from lakebed.model.objects import Attributes, Object
from lakebed.model.operation import Copied, Counters, Options
from lakebed.settings import Settings, load
from lakebed.store.build import open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import UNPROBED
from lakebed.store.contract import PAGE_LIMIT, Buffer, Page
from lakebed.store.listing import unordered_pages
from lakebed.store.memory import MemoryStore
from lakebed.transfer.budget import Budget
from lakebed.transfer.plan import Planner
from lakebed.transfer.recorder import Quarantine
from lakebed.transfer.sides import Side, Sides

FOLDER = Path(".bench/planning")
SIZES = {"small": 10_000, "large": 200_000}
SYNTHETIC = int(os.environ.get("LAKEBED_BENCH_KEYS", "10000000"))
ROUNDS = 3
PACK = 250
NAMES = ("one", "two")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def key(number: int) -> str:
    """Archives and their sidecars, 400 keys a folder."""
    symbol, day = divmod(number // 2, 200)
    name = f"SYM{symbol:05}USDT"
    archive = f"{name}/1m/{name}-1m-2026-{day // 28 + 1:02}-{day % 28 + 1:02}.zip"
    return f"data/spot/daily/klines/{archive}" + (".CHECKSUM" if number % 2 else "")


# --- two servers ---------------------------------------------------------------------------------


def fill(bucket: str, settings: Settings) -> None:
    """Objects go many at a time in a tar that MinIO unpacks."""
    store = open_store(settings.store("one"), Cancellation())
    unpack = Attributes(metadata={"snowball-auto-extract": "true"})

    def send(first: int) -> None:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for number in range(first, first + PACK):
                body = f"{number:064}\n".encode()
                entry = tarfile.TarInfo(key(number))
                entry.size, entry.mtime = len(body), MOMENT.timestamp()
                tar.addfile(entry, io.BytesIO(body))
        store.put(bucket, f"pack{first}.tar", Buffer((packed.getvalue(),)), attributes=unpack)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, range(0, SIZES[bucket], PACK)))
    store.close()


@contextmanager
def servers(*buckets: str) -> Iterator[Path]:
    """Two servers that hold the same; their configuration file."""
    with ExitStack() as stack:
        served = [
            stack.enter_context(EmbeddedStore(FOLDER / name, engine="minio", buckets=buckets))
            for name in NAMES
        ]
        config = FOLDER.absolute() / "lakebed.toml"
        tables = [store.configuration(name) for store, name in zip(served, NAMES, strict=True)]
        state = f'state = "{FOLDER.absolute() / "state"}"\n'
        config.write_text("".join([state, *tables]))
        yield config


def prepare(bucket: str) -> None:
    """Fill both, once: the second server gets a copy of the first one's folder."""
    done = FOLDER / f"{bucket}.filled"
    if done.exists():
        return
    with servers(bucket) as config:
        fill(bucket, load(config, {}, Path.cwd()))
    source, copy = (FOLDER / name / "data" / bucket for name in NAMES)
    shutil.rmtree(copy)
    shutil.copytree(source, copy)
    done.touch()


def bare(bucket: str, config: str) -> None:
    """List both at once, and do nothing with it."""
    settings = load(Path(config), {}, Path.cwd())

    def count(name: str) -> None:
        store = open_store(settings.store(name), Cancellation())
        listed = sum(map(len, unordered_pages(store, bucket)))
        assert listed == SIZES[bucket], listed
        store.close()

    threads = [threading.Thread(target=count, args=[name]) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process: seconds, seconds of its own CPU, peak of its resident memory in MB."""

    wall: float
    cpu: float
    memory: float


def cost(*command: str) -> Cost:
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    assert status == 0, command
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(bucket: str) -> None:
    prepare(bucket)
    lakebed = str(Path(sys.executable).with_name("lakebed"))
    costs: dict[str, list[Cost]] = {"bare listings": [], "lakebed sync": []}
    with servers(bucket) as config:
        sync = (lakebed, "sync", f"one:{bucket}/", f"two:{bucket}/", "-q", "--config", str(config))
        for _ in range(ROUNDS + 1):
            bare_run = cost(sys.executable, __file__, "bare", bucket, str(config))
            costs["bare listings"].append(bare_run)
            costs["lakebed sync"].append(cost(*sync))
    print(f"\n{SIZES[bucket]:,} objects a side, nothing to do (median of {ROUNDS})")
    for name, each in costs.items():
        show(name, each[1:])  # the first ones filled caches, and made the ledger


def show(name: str, costs: list[Cost]) -> None:
    walls = [cost.wall for cost in costs]
    cpu = statistics.median(cost.cpu for cost in costs)
    memory = max(cost.memory for cost in costs)
    print(
        f"  {name:<14} {statistics.median(walls):6.2f} s wall"
        f" ({min(walls):.2f} to {max(walls):.2f}), {cpu:5.2f} s CPU, {memory:.0f} MB"
    )


# --- keys that are nowhere -----------------------------------------------------------------------


class Made(MemoryStore):
    """Makes up `count` objects as they are listed: 400 keys a folder, archives and sidecars."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(name, buckets=["b"])
        self._count = count

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        first = int(token or 2 * int(after[5:14] or -1) + 2)
        last = min(first + limit, self._count)
        made = tuple(
            Object(f"data/{place:09}.zip{end}", place, f"{place:032x}", MOMENT)
            for place in range(first // 2, last // 2)
            for end in ("", ".CHECKSUM")
        )
        return Page(made, token=str(last) if last < self._count else None)


class Nothing:
    """A ledger that remembers nothing."""

    def copies(self, keys: Sequence[str]) -> dict[str, Copied]:
        return {}

    def brought(self, keys: Sequence[str]) -> dict[str, Copied]:
        return {}

    def quarantines(self, keys: Sequence[str]) -> dict[str, Quarantine]:
        return {}


def synthetic() -> None:
    cancellation, options = Cancellation(), Options()
    source, destination = (
        Side(Made(name, SYNTHETIC), Location(name, "b", "data/"), UNPROBED) for name in NAMES
    )
    sides = Sides(source, destination, options, Budget(options.memory, cancellation), cancellation)
    print(f"\n{SYNTHETIC:,} keys a side, made up")
    alone = time.monotonic()
    sum(map(len, unordered_pages(source.store, "b", "data/")))
    print(f"  making the keys of one side alone: {time.monotonic() - alone:.1f} s")
    began, counters = time.monotonic(), Counters()
    with_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for step in Planner(sides, Nothing()).steps(skim=True):
        counters.add(step.counters)
    wall = time.monotonic() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - with_memory
    assert counters.skipped == SYNTHETIC, counters
    print(
        f"  {wall:.1f} s: {SYNTHETIC / wall:,.0f} keys of both sides a second,"
        f" {SYNTHETIC / 2 / wall:,.0f} couples; memory grew by {grown:.1f} MB"
    )


def main() -> None:
    if sys.argv[1:2] == ["bare"]:
        bare(*sys.argv[2:])
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or [*SIZES, "synthetic"]:
        if name == "synthetic":
            synthetic()
        else:
            compare(name)


if __name__ == "__main__":
    main()
