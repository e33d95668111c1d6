"""Rounds against two replicas on PostgreSQL: `make chaos`, or `python -m tests.chaos.replicas.run`.

ROUNDS_EXECUTOR is how many are played with kill -9 and SIGSTOP (100), ROUNDS_OUTAGES how many with
restarts of PostgreSQL and of the store and with jumps of a clock (30); SEED is that of the first,
each has the next one, and prints it. So `SEED=N ROUNDS_EXECUTOR=1 ROUNDS_OUTAGES=0` plays a round
again. Ends with status 1 where a round found something.
"""

import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.replicas.ground import Ground, ground
from tests.chaos.replicas.rounds import OBJECTS, Played, Round
from tests.chaos.replicas.scene import scene
from tests.e2e.buckets import pairs

ROUNDS, ROUNDS_OUTAGES = 100, 30


def play(
    at: Ground, content: dict[str, bytes], seed: int, usual: float, *, outages: bool
) -> Played:
    return Round(at, content, usual).play(seed, scene(seed, outages=outages))


def usual_seconds(at: Ground, content: dict[str, bytes]) -> float:
    """How long a round takes that nothing befalls; the first one probes, and makes the tables."""
    return [Round(at, content, 0.0).play(0, ()).seconds for _ in range(2)][-1]


def main() -> int:
    rounds = {
        False: int(os.environ.get("ROUNDS_EXECUTOR") or ROUNDS),
        True: int(os.environ.get("ROUNDS_OUTAGES") or ROUNDS_OUTAGES),
    }
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**31))
    print(f"{rounds[False]} rounds of kills and {rounds[True]} of outages from seed {seed}")
    content = pairs(OBJECTS // 2)
    began, broken, blows = time.monotonic(), 0, Counter[str]()
    with (
        tempfile.TemporaryDirectory(prefix="lakebed-chaos-") as folder,
        ground(Path(folder), content) as at,
    ):
        usual = usual_seconds(at, content)
        print(f"{len(content)} objects in {usual:.1f} s undisturbed", flush=True)
        for outages, count in rounds.items():
            for number in range(count):
                try:
                    played = play(at, content, seed, usual, outages=outages)
                except AssertionError as found:
                    broken += 1
                    print(f"BROKEN seed {seed} outages={outages}: {found}", flush=True)
                else:
                    print(f"round {number + 1:<4}{played}", flush=True)
                    blows.update(blow.what for blow in played.blows[: played.struck])
                seed += 1
    told = ", ".join(f"{count} times {what}" for what, count in sorted(blows.items()))
    print(f"{sum(rounds.values())} rounds in {time.monotonic() - began:.0f} s: {told}")
    print(
        f"{broken} rounds broken" if broken else "each object once, each digest right, none stuck"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
