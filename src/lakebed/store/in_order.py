"""Many pieces of one stream made at once, and joined in their order."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def in_order(tasks: Iterator[Callable[[], T]], threads: int) -> Iterator[T]:
    """The results of `tasks`, in order; as many as `threads` are under way or wait to be used.

    A task is asked for when there is a place for it. What one raises is raised in its place. Those
    under way end before the iterator is closed.
    """
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="lakebed-list") as pool:
        try:
            while True:
                while len(waiting) < threads and (task := next(tasks, None)) is not None:
                    waiting.append(pool.submit(task))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
