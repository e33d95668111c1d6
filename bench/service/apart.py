"""A sync and its stores on some cores, so that what is measured has one to itself."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.service.serving import Replica

STORES = "BENCH_STORES"
"""The variable with the process ids of the stores."""


@contextmanager
def apart(replica: Replica) -> Iterator[None]:
    """The API and we have the last core, and nothing else does: stores and what moves objects have
    the others. Where there is one core only, all share it."""
    *others, left = sorted(os.sched_getaffinity(0))
    stores = [int(pid) for pid in os.environ.get(STORES, "").split()]
    movers = set(replica.pids()) - {replica.pid}
    if others:
        _keep([*stores, *movers], others)
        _keep([replica.pid, os.getpid()], [left])
    try:
        yield
    finally:
        _keep([*stores, os.getpid()], [*others, left])


def _keep(pids: Iterable[int], cores: Iterable[int]) -> None:
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)
