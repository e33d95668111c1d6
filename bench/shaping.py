"""A source made slow, or limited, by a proxy in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from bench.cases.case import Shaping
from bench.client import open_at
from bench.stores import Stores
from lakebed.store.listing import objects

_PROXY = Path(__file__).parent / "loops" / "proxy.py"
_OBJECTS, _THREADS = 1_000, 16


@dataclass
class Shaped:
    """Where the source answers now; `allowed` and `refused` are known after the block."""

    endpoint: str
    allowed: int = 0
    refused: int = 0


@contextmanager
def shaped(endpoint: str, shaping: Shaping | None) -> Iterator[Shaped]:
    """The endpoint behind a proxy that follows `shaping`; itself where there is none."""
    if shaping is None:
        yield Shaped(endpoint)
        return
    address = urlsplit(endpoint)
    command = [
        *(sys.executable, str(_PROXY), str(address.hostname), str(address.port)),
        *("--delay", str(shaping.delay), "--rate", str(shaping.rate)),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as proxy:
        assert proxy.stdin is not None
        assert proxy.stdout is not None
        found = Shaped(f"http://127.0.0.1:{int(proxy.stdout.readline())}")
        try:
            yield found
        finally:
            proxy.stdin.close()
            counted = json.loads(proxy.stdout.read() or "{}")
            found.allowed, found.refused = counted.get("allowed", 0), counted.get("refused", 0)


def ceiling(stores: Stores, bucket: str) -> float:
    """Requests a second that the proxy passes when it holds nothing back, on this machine."""
    with (
        shaped(stores.source.endpoint, Shaping()) as proxy,
        closing(open_at("proxy", proxy.endpoint, stores.credentials)) as store,
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        keys = [found.key for found in islice(objects(stores.source.store, bucket), _OBJECTS)]
        start = time.perf_counter()
        for done in [pool.submit(store.head, bucket, key) for key in keys]:
            done.result()
        return len(keys) / (time.perf_counter() - start)
