"""Both listings at once on our own client, compared with nothing."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

from bench.loops.ends import Side, ends_of


def read(side: Side) -> None:
    deque(side.listing(), maxlen=0)


if __name__ == "__main__":
    with ends_of(__doc__) as ends, ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(read, side) for side in (ends.source, ends.target)]:
            done.result()
