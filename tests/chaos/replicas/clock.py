"""Runs a program whose clock is wrong: `python -m tests.chaos.replicas.clock PROGRAM …`.

By how many seconds is written in the file that CLOCK names, and may change while it runs. The
processes that it forks import this module too, and have the same wrong clock.
"""

import os
import runpy
import sys
import time
from pathlib import Path

CLOCK = "CLOCK"
_right = time.time


def _wrong() -> float:
    try:
        return _right() + float(Path(os.environ[CLOCK]).read_text())
    except (OSError, ValueError, KeyError):
        return _right()


time.time = _wrong

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
