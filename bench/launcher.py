"""Runs commands one after the other and prints what they cost; imports little on purpose.

A process inherits the peak memory of the one that started it, so whoever measures must be smaller
than what is measured: `python -I -S launcher.py < order.json > cost.json`.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path


def written() -> int:
    """Bytes that ended children of ours made the kernel write to block devices."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def main() -> None:
    order = json.load(sys.stdin)
    before = written()
    status = 0
    with open(order["log"], "ab") as log:
        start = time.perf_counter()
        for command in order["commands"]:
            status = subprocess.call(
                command,
                env=order["environment"],
                cwd=order["folder"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
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
