"""One run of one rival: started, paid for, counted."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench import launcher
from bench.counters import Spent
from bench.launcher import Order
from bench.results import Run
from bench.rivals.rival import Job, Rival
from bench.stores import Stores

_SETTLE_SECONDS = 1.0
"""MinIO adds a request to its counters after the answer."""
_FIGURE = re.compile(r"^figure: (.+) = (\S+)$", re.MULTILINE)
"""What a program of ours measured itself."""
DEADLINE_SECONDS = 1800.0
"""For one command; no rival needs a fifth of it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the launcher prints; `peak` and `disk` in bytes."""

    status: int
    wall: float
    user: float
    system: float
    peak: int
    disk: int


def measure(rival: Rival, job: Job, stores: Stores) -> Run:
    """Run it, and say what it cost itself and the stores; a failure is a run with a problem."""
    log = job.folder / "log"
    log.unlink(missing_ok=True)
    # What earlier runs wrote is not this one's to wait for.
    os.sync()
    before = [Spent.by(server) for server in stores.both]
    cost = _launch(rival, job, log)
    cpu = [Spent.by(server).since(was).cpu for server, was in zip(stores.both, before, strict=True)]
    time.sleep(_SETTLE_SECONDS)
    source, target = (
        Spent.by(server).since(was) for server, was in zip(stores.both, before, strict=True)
    )
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    figures = {name: float(value) for name, value in _FIGURE.findall(said)}
    # A program of ours says better than the launcher what a run cost: without a service's start.
    return Run(
        wall=figures.pop("wall", cost.wall),
        user=figures.pop("user", cost.user),
        system=figures.pop("system", cost.system),
        peak=cost.peak,
        disk=cost.disk,
        source_cpu=cpu[0],
        target_cpu=cpu[1],
        source_requests=dict(source.requests),
        target_requests=dict(target.requests),
        problem=f"exit status {cost.status}: {said[-300:].strip()}" if cost.status else "",
        note=rival.told(said),
        figures=figures,
    )


def _launch(rival: Rival, job: Job, log: Path) -> Cost:
    order = Order(
        commands=[list(command) for command in rival.commands(job)],
        environment={**_environment(job), **rival.environment(job)},
        folder=str(job.folder),
        log=str(log),
        deadline=DEADLINE_SECONDS,
    )
    command = [sys.executable, "-I", "-S", launcher.__file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            told, _ = process.communicate(json.dumps(order))
        except BaseException:
            process.terminate()
            raise
    return Cost(**json.loads(told))


def _environment(job: Job) -> dict[str, str]:
    """Nothing of the user's: a home of its own, so no configuration and no cache is found."""
    temporary = job.folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(job.folder),
        "TMPDIR": str(temporary),
        "LC_ALL": "C.UTF-8",
        "AWS_ACCESS_KEY_ID": job.credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": job.credentials.secret_key,
        "AWS_REGION": "us-east-1",
    }
