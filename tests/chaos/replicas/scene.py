"""What befalls two replicas in a round: drawn from its seed alone, to be played again."""

import random
from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    KILL_PROCESS = "kill -9 of the operation's process"
    KILL_REPLICA = "kill -9 of the replica"
    KILL_MACHINE = "kill -9 of the replica and all its processes"
    STALL_PROCESS = "SIGSTOP of the operation's process"
    STALL_MACHINE = "SIGSTOP of the replica and all its processes"
    RESTART_DATABASE = "restart of PostgreSQL"
    RESTART_STORE = "restart of the store"
    JUMP = "jump of the replica's clock"


KILLS = (
    What.KILL_PROCESS,
    What.KILL_REPLICA,
    What.KILL_MACHINE,
    What.STALL_PROCESS,
    What.STALL_MACHINE,
)
OUTAGES = (What.RESTART_DATABASE, What.RESTART_STORE, What.JUMP)
STALLS = (What.STALL_PROCESS, What.STALL_MACHINE)
SHORT, LONG = (0.1, 3.0), (13.0, 17.0)
"""Seconds of a stall: within the lease, and beyond it."""
FARTHEST = 800.0
"""Seconds that a clock jumps at the most: beyond fifteen minutes a store refuses what it signs."""


@dataclass(frozen=True, slots=True)
class Blow:
    """`moment` is a share of the time that a round takes without any. `at_runner`: at the replica
    that runs the operation, else at the other. `seconds` of a stall, or of a jump."""

    moment: float
    what: What
    at_runner: bool
    seconds: float

    def __str__(self) -> str:
        whom = (
            ""
            if self.what in (What.RESTART_DATABASE, What.RESTART_STORE)
            else (", which runs it" if self.at_runner else ", the other one")
        )
        span = f" by {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.moment:.2f} {self.what}{whom}{span}"


def scene(seed: int, *, outages: bool) -> tuple[Blow, ...]:
    """The blows of a round, by their moments. A kill of the operation's process comes once at the
    most: after three it is to fail."""
    draw = random.Random(seed)
    kinds = OUTAGES if outages else KILLS
    drawn = [kinds[seed % len(kinds)], *draw.choices(kinds, k=draw.choice([0, 0, 1, 1, 2]))]
    once = [what for n, what in enumerate(drawn) if what not in drawn[:n] or what in STALLS]
    return tuple(
        sorted((_blow(what, draw) for what in once), key=lambda blow: (blow.moment, blow.what))
    )


def _blow(what: What, draw: random.Random) -> Blow:
    seconds = 0.0
    if what in STALLS:
        seconds = draw.uniform(*draw.choice([SHORT, LONG]))
    if what is What.JUMP:
        seconds = draw.choice([-1, 1]) * draw.uniform(1.0, FARTHEST)
    return Blow(draw.random(), what, draw.random() < 0.8, seconds)
