"""The process that holds a lease, told apart from any other, and whether it is still there."""

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

_PROC = Path("/proc")
_DEAD = ("Z", "X")
"""States in /proc/PID/stat of a process that has ended: a zombie waits only for its parent."""


@dataclass(frozen=True, slots=True)
class Owner:
    """`place` is where the process id means something: host, boot and pid namespace.

    The host name alone would not do: machines share names, containers share machines. `began` is
    when the process started, as the kernel counts it, because process ids come round again.
    """

    place: str
    pid: int
    began: str

    @classmethod
    def current(cls) -> Self:
        pid = os.getpid()
        return cls(_place(), pid, _status(pid)[1])

    @classmethod
    def parse(cls, text: str) -> Self:
        place, pid, began = text.rsplit("/", 2)
        return cls(place, int(pid), began)

    def __str__(self) -> str:
        return f"{self.place}/{self.pid}/{self.began}"

    @property
    def host(self) -> str:
        return self.place.partition("/")[0]

    def is_gone(self) -> bool:
        """True only where we can know: the process was one of this machine, and has ended."""
        if self.place != _place():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass  # somebody else's process: it is there
        state, began = _status(self.pid)
        return bool(began) and (state in _DEAD or began != self.began)


@cache
def _place() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink(_PROC / "self/ns/pid")
    except OSError:
        boot = namespace = ""
    return f"{socket.gethostname()}/{boot}/{namespace}"


def _status(pid: int) -> tuple[str, str]:
    """State and start time of a process, both empty where the system has no /proc."""
    try:
        line = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return "", ""
    # The second field is a name in parentheses, which may hold both blanks and parentheses.
    fields = line.rpartition(")")[2].split()
    return fields[0], fields[19]
