"""What a process and all that it started use."""

from collections import defaultdict
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def resident_bytes(pid: int) -> int:
    """Proportional memory (PSS, else RSS) of the process and its descendants; 0 where none is."""
    children: dict[int, list[int]] = defaultdict(list)
    for process in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            children[int(fields[1])].append(int(process.name))
    total, left = 0, [pid]
    while left:
        one = left.pop()
        total += _proportional(one)
        left += children[one]
    return total


def _proportional(pid: int) -> int:
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
