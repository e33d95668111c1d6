"""A replica of the executor in processes of its own, and what these have cost so far."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("lakebed"))
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Replica:
    """One that serves. `pid` is that of its API; the others are its children."""

    host: str
    port: int
    pid: int

    def pids(self) -> list[int]:
        """All of its processes: the API, the fork server and what came from that."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (fields := _stat(int(entry.name))):
                children.setdefault(int(fields[1]), []).append(int(entry.name))
        found = [self.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def cpu(self) -> tuple[float, float]:
        """User and system seconds of all of its processes, ended ones included."""
        each = [fields for pid in self.pids() if (fields := _stat(pid))]
        user = sum(int(fields[11]) + int(fields[13]) for fields in each)
        return user / _TICK, sum(int(fields[12]) + int(fields[14]) for fields in each) / _TICK

    def memory(self) -> float:
        """MB of the API process: its proportional share of pages (PSS)."""
        return pss(self.pid)


def pss(pid: int) -> float:
    """MB; pages that processes share are counted in equal parts. 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    except OSError:
        return []


@contextmanager
def serving(**variables: str) -> Iterator[Replica]:
    """Serve while the scope lasts, at a free port, with its state in this folder.

    `variables` are settings of `[executor]`.
    """
    named = {f"LAKEBED_EXECUTOR__{name.upper()}": value for name, value in variables.items()}
    command = (PROGRAM, "executor", "serve", "--port", "0", "--auth", "none", "--json")
    environment = {**os.environ, "LAKEBED_STATE": str(Path.cwd() / "state"), **named}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            url = str(json.loads(process.stdout.readline())["url"])
            host, _, port = url.removeprefix("http://").rpartition(":")
            yield Replica(host, int(port), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


def told(name: str, value: float) -> None:
    """Print a figure as the harness reads it."""
    print(f"figure: {name} = {value:.6g}", flush=True)
