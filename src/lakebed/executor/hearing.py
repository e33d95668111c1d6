"""Hearing what a process tells, line by line, without ever waiting for it.

It may be stopped or killed in the middle of a line: what is no whole line is not heard.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

MOST = 4 * 1024 * 1024
"""Bytes of a line that are kept: one that does not end is not waited for."""
_CHUNK = 65_536


@contextmanager
def heard(connection: Connection, tell: Callable[[bytes], None]) -> Iterator[None]:
    """Each line that comes during the scope, and what is there at its end."""
    descriptor, held = connection.fileno(), bytearray()
    os.set_blocking(descriptor, False)
    loop = asyncio.get_running_loop()

    def read() -> bool:
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            loop.remove_reader(descriptor)
            return False
        *lines, rest = (bytes(held) + chunk).split(b"\n")
        held[:] = rest[:MOST]
        for line in lines:
            tell(line)
        return True

    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        while read():
            pass
