"""Rounds of kill -9 against a real store: `make chaos`, or `python -m tests.chaos.run`.

ROUNDS is how many (200), SEED that of the first; each has the next one, and prints it. So
`SEED=N ROUNDS=1` plays a round again. Ends with status 1 where a round found something.
"""

import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from lakebed.local.embedded import EmbeddedStore
from tests.chaos.ground import ground
from tests.chaos.scene import scene
from tests.fixtures_stores import Served

ROUNDS = 200


def main() -> int:
    rounds = int(os.environ.get("ROUNDS") or ROUNDS)
    first = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**31))
    print(f"{rounds} rounds from seed {first}", flush=True)
    began = time.monotonic()
    ways: Counter[str] = Counter()
    kills = broken = 0
    with (
        tempfile.TemporaryDirectory(prefix="lakebed-chaos-") as folder,
        EmbeddedStore(Path(folder, "store")) as store,
    ):
        served = Served(store.endpoint, store.access_key, store.secret_key, store.engine)
        with ground(served, Path(folder)) as opened:
            for number in range(rounds):
                drawn = scene(first + number)
                try:
                    played = opened.play(drawn)
                except AssertionError as found:
                    broken += 1
                    print(f"BROKEN seed {drawn.seed} {drawn.way.name}: {found}", flush=True)
                    continue
                print(f"round {number + 1:<4}{played}", flush=True)
                ways[played.scene.way.name] += 1
                kills += len(played.kills)
    seconds = time.monotonic() - began
    shown = ", ".join(f"{count} {name}" for name, count in sorted(ways.items()))
    print(f"{rounds} rounds in {seconds:.0f} s on {served.engine}: {shown}; {kills} kills")
    print(f"{broken} rounds broken" if broken else "each object once and as it was published")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
