"""Who listens at a port of this machine."""

import socket
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"
"""The state in /proc/net/tcp."""


def holder_of(port: int, host: str = "127.0.0.1") -> str | None:
    """The process that keeps us from listening there, in words; None where nothing does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return _named(port)
    return None


def _named(port: int) -> str:
    inodes = set(_inodes(port))
    for process in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    if descriptor.readlink().name in inodes:
                        return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return "another process"


def _inodes(port: int) -> "list[str]":
    found = []
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.append(f"socket:[{fields[9]}]")
    return found
