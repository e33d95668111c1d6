"""A line in the log for each request: what, on what, how long, how it ended."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from lakebed.errors import LakebedError
from lakebed.store.wrappers.forwarding import Forwarding

T = TypeVar("T")
_log = logging.getLogger("lakebed.store")


class Trace(Forwarding):
    """Logs at DEBUG. Keys are named, bodies and headers are not."""

    def _call(self, verb: str, subject: str, action: Callable[[], T], sent: int = 0) -> T:
        began = time.monotonic()
        try:
            result = action()
        except LakebedError as error:
            _log.debug("%s %s: %s after %.3f s", verb, subject, error.code, _since(began))
            raise
        _log.debug("%s %s: %.3f s", verb, subject, _since(began))
        return result


def _since(began: float) -> float:
    return time.monotonic() - began
