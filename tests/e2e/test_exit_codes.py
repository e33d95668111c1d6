"""The exit code of a process is that of what happened, each time.

Two hundred times out of two hundred: `EXIT_ROUNDS=20 pytest tests/e2e/test_exit_codes.py`, minutes.
"""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lakebed.errors import Exit
from tests.e2e.buckets import Bucket, pair, pairs
from tests.e2e.process import Ended, Lakebed

ROUNDS = int(os.environ.get("EXIT_ROUNDS") or 4)
"""Of ten runs each: half of them complete."""
AT_ONCE = 2

Run = Callable[[], Ended]


@pytest.mark.long
def test_the_exit_code_is_right_each_time(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.fill(pairs(2))
    source.fill(pair("good/a.zip", b"new") | pair("bad/a.zip", b"new") | {"bad/a.zip": b"damaged"})
    destination.put("good/a.zip", b"old")
    here, there = f"here:{source.name}", f"there:{destination.name}"
    assert lakebed("sync", f"{here}/daily/", f"{there}/daily/").code == Exit.COMPLETED
    operation = _cancelled(lakebed, here, there)

    def runs(number: int) -> list[tuple[Exit, Run]]:
        again = ("sync", f"{here}/daily/", f"{there}/daily/")
        return [
            (Exit.COMPLETED, lambda: lakebed(*again)),
            (Exit.COMPLETED, lambda: lakebed(*again, "--json")),
            (Exit.COMPLETED, lambda: lakebed("sync", f"{here}/daily/", f"{there}/{number}/", "-q")),
            (Exit.COMPLETED, lambda: lakebed("verify", f"{here}/daily/", f"{there}/daily/")),
            (Exit.COMPLETED, lambda: lakebed("ls", here, "--json")),
            (Exit.USAGE, lambda: lakebed("sync", "her:bucket", there)),
            (Exit.FAILED_OBJECTS, lambda: lakebed("verify", f"{here}/good/", f"{there}/good/")),
            (Exit.QUARANTINED, lambda: lakebed("sync", f"{here}/bad/", f"{there}/bad/", "--json")),
            (Exit.STORE, lambda: lakebed("sync", "here:there-is-no-such-bucket", there)),
            (Exit.ELSEWHERE, lambda: lakebed("resume", operation)),
        ]

    expected = [run for number in range(ROUNDS) for run in runs(number)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(lambda run: run[1](), expected))

    wrong = [
        (code.name, found.code, found.out, found.err)
        for (code, _), found in zip(expected, ended, strict=True)
        if code != found.code
    ]
    assert not wrong
    counted = Counter(found.code for found in ended)
    assert counted.total() == 10 * ROUNDS
    assert counted[Exit.COMPLETED] == 5 * ROUNDS


def _cancelled(lakebed: Lakebed, source: str, destination: str) -> str:
    limited = lakebed("sync", f"{source}/daily/", destination, "--max-duration", "1ms", "--json")
    assert limited.summary["state"] == "interrupted", limited
    operation = str(limited.summary["operation_id"])
    assert lakebed("cancel", operation).code == Exit.COMPLETED
    return operation
