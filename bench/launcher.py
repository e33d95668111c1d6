"""Runs commands one after the other and prints what they cost; imports little on purpose.

A process inherits the peak memory of the one that started it, so whoever measures must be smaller
than what is measured: `python -I -S launcher.py < order.json > cost.json`.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import BinaryIO, TypedDict


class Order(TypedDict):
    """What is read; `deadline` in seconds for each command."""

    commands: list[list[str]]
    environment: dict[str, str]
    folder: str
    log: str
    deadline: float


def written() -> int:
    """Bytes that ended children of ours made the kernel write to block devices."""
    with open("/proc/self/io", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def run(command: list[str], order: Order, log: BinaryIO) -> int:
    """Its exit status; that of `timeout` where it took longer than it may."""
    # An alarm, since waiting with a timeout would look only every 50 ms.
    signal.setitimer(signal.ITIMER_REAL, order["deadline"])
    try:
        return subprocess.call(
            command,
            env=order["environment"],
            cwd=order["folder"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    except TimeoutError:
        return 124
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


def main() -> None:
    # Who is asked to end, ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, too_long)
    order: Order = json.load(sys.stdin)
    before = written()
    status = 0
    with open(order["log"], "ab") as log:
        start = time.perf_counter()
        for command in order["commands"]:
            status = run(command, order, log)
            if status != 0:
                break
        wall = time.perf_counter() - start
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = {
        "status": status,
        "wall": wall,
        "user": spent.ru_utime,
        "system": spent.ru_stime,
        "peak": spent.ru_maxrss * 1024,
        "disk": written() - before,
    }
    os.write(1, json.dumps(cost).encode())


if __name__ == "__main__":
    main()
