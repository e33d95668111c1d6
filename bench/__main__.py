"""`python -m bench`: measure the cases, keep the results, write the page."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.cases import CASES
from bench.machine import machine, versions
from bench.report.page import DOCUMENTS, publish
from bench.results import Environment, Measured, Results
from bench.rivals import RIVALS
from bench.session import Session, Size
from bench.stores import serve
from lakebed.errors import LakebedError

_TRIALS = Path(".bench/results")
"""Where results go that say little: of smaller data, fewer runs or fewer rivals."""


def main() -> None:
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the stores are stopped
    size = Size(given.repeat, given.scale, tuple(given.rivals))
    folder = given.out or (DOCUMENTS if _is_full(size) else _TRIALS)
    environment = Environment(machine(), versions())
    try:
        # Each case as soon as it is measured: an hour is long enough to be interrupted.
        for case in _measured(given.cases or list(CASES), size, given.data):
            found = replace(case, environment=environment)
            _say(f"see {publish(folder, Results((found,)))}")
    except LakebedError as error:
        raise SystemExit(str(error)) from None


def _is_full(size: Size) -> bool:
    """Whether results are worth keeping with the documents."""
    return size.scale == 1 and size.repeat >= 3 and not size.rivals


def _measured(names: Sequence[str], size: Size, data: Path | None) -> Iterator[Measured]:
    with ExitStack() as temporary:
        folders = [
            Path(temporary.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=parent)))
            for parent in (data, None)
        ]
        stores = temporary.enter_context(serve(folders[0]))
        session = Session(stores, folders[1], size, _say)
        yield from (session.measured(CASES[name]) for name in names)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--cases", nargs="*", choices=CASES, help="all where none is named")
    parser.add_argument("--rivals", nargs="*", choices=RIVALS, default=[])
    parser.add_argument("--repeat", type=int, default=3, help="counted runs of each rival")
    parser.add_argument("--scale", type=float, default=1.0, help="0.05: twenty times smaller")
    parser.add_argument("--data", type=Path, help="where the stores keep their data")
    parser.add_argument("--out", type=Path, help="docs, where the run is a full one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
