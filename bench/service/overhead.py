"""One sync through an executor that runs already: what all of its processes spend on it."""

import asyncio
import sys
import time

from bench.service.asking import SYNC, connected, ended
from bench.service.serving import Replica, serving, told

_QUIET = 0.02
"""Seconds of CPU within a second, below which a replica has nothing to do."""


async def quiet(replica: Replica) -> None:
    """Wait until what it does at its start is done, or what was run has left."""
    spent = sum(replica.cpu())
    while True:
        await asyncio.sleep(1.0)
        before, spent = spent, sum(replica.cpu())
        if spent - before < _QUIET:
            return


async def measure(replica: Replica, source: str, target: str) -> None:
    await quiet(replica)
    user, system = replica.cpu()
    began = time.perf_counter()
    async with connected(replica) as connection:
        asked = await connection.post(SYNC, {"source": source, "destination": target})
    await ended(replica, str(asked["operation_id"]))
    told("wall", time.perf_counter() - began)
    await quiet(replica)
    after = replica.cpu()
    told("user", after[0] - user)
    told("system", after[1] - system)


def main() -> None:
    with serving() as replica:
        asyncio.run(measure(replica, *sys.argv[1:3]))


if __name__ == "__main__":
    main()
