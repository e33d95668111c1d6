"""What the API process holds: idle, and with 1,000 operations queued of which 32 run."""

import asyncio
import sys

from bench.service.asking import OPERATIONS, connected
from bench.service.overhead import quiet
from bench.service.serving import Replica, pss, serving, told

QUEUED, RUNNING = 1000, 32
WATCHED = 10
"""Seconds for which they are watched, once as many run."""
SLOW = 64 * 1024
"""Bytes a second of each that runs: so that it runs for long enough."""


async def measure(replica: Replica, source: str, target: str) -> None:
    await quiet(replica)
    others = [pid for pid in replica.pids() if pid != replica.pid]
    told("idle, MB", replica.memory())
    told("idle, the server of processes, MB", sum(map(pss, others)))
    one: dict[str, object] = {
        "source": source,
        "destination": target,
        "configuration": {"bandwidth": SLOW},
    }
    most = 0.0
    async with connected(replica) as connection:
        for _ in range(QUEUED):
            await connection.post("/api/v1/verify", one)
    seconds = 0
    while seconds < WATCHED:
        async with connected(replica) as connection:
            page = await connection.get(f"{OPERATIONS}?state=running&limit=100")
        running = page["operations"]
        assert isinstance(running, list)
        seconds += len(running) >= RUNNING
        most = max(most, replica.memory())
        await asyncio.sleep(1.0)
    told("loaded, MB", most)
    told("each that runs, MB", sum(map(pss, set(replica.pids()) - {replica.pid})) / RUNNING)


def main() -> None:
    with serving(running=str(RUNNING), drain="0.1") as replica:
        asyncio.run(measure(replica, *sys.argv[1:3]))


if __name__ == "__main__":
    main()
