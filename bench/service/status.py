"""Ask how an operation stands, 300 times a second, and for another five times, while it runs."""

import asyncio
import sys
import time

from bench.service.apart import apart
from bench.service.asking import OPERATIONS, SYNC, connected, ended, paced, percentile
from bench.service.overhead import quiet
from bench.service.serving import Replica, serving, told

RATE = 300.0
PAUSE = 0.2
"""Seconds between two requests for an operation."""


async def posted(replica: Replica, body: dict[str, object], over: asyncio.Event) -> list[float]:
    """Ask for operations that are not to begin for long; seconds of each."""
    took = []
    later = {**body, "scheduled_for": "2100-01-01T00:00:00Z"}
    async with connected(replica) as connection:
        while not over.is_set():
            began = time.perf_counter()
            await connection.post(SYNC, later)
            took.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE)
    return took


async def measure(replica: Replica, source: str, target: str) -> None:
    body: dict[str, object] = {"source": source, "destination": target}
    await quiet(replica)
    with apart(replica):
        await asked(replica, body)


async def asked(replica: Replica, body: dict[str, object]) -> None:
    over = asyncio.Event()
    async with connected(replica) as connection:
        operation_id = str((await connection.post(SYNC, body))["operation_id"])
        path = f"{OPERATIONS}/{operation_id}"
        async with asyncio.TaskGroup() as tasks:
            statuses = tasks.create_task(paced(replica, path, RATE, over))
            posts = tasks.create_task(posted(replica, body, over))
            began = time.perf_counter()
            await ended(replica, operation_id)
            seconds = time.perf_counter() - began
            over.set()
    told("status requests a second", len(statuses.result()) / seconds)
    for part in (0.5, 0.95, 0.99):
        told(f"status p{100 * part:.0f}, ms", 1000 * percentile(statuses.result(), part))
    told("POST p95, ms", 1000 * percentile(posts.result(), 0.95))
    told("wall", seconds)


def main() -> None:
    with serving() as replica:
        asyncio.run(measure(replica, *sys.argv[1:3]))


if __name__ == "__main__":
    main()
