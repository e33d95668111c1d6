"""Resident memory is a budget, whatever the number or the size of the objects."""

import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.buckets import Bucket, pairs
from tests.e2e.gateway import Answer, Asked, Gateway, answer
from tests.e2e.process import COMMAND, PATIENCE, Lakebed

LIMIT = 200 * 1024**2
LARGE = 64 * 1024**2
KEYS = 20_000
PAGE = 1000

_MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"peak {used} code {code}", file=sys.stderr)
"""
"""Of one child of a process that has no other."""


def peak(lakebed: Lakebed, *arguments: str) -> tuple[int, str]:
    """Bytes that a run that completes had in memory at most, and what it wrote."""
    ended = subprocess.run(
        [sys.executable, "-c", _MEASURED, COMMAND, *arguments],
        cwd=lakebed.folder,
        env=lakebed.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    found = re.search(r"peak (\d+) code 0", ended.stderr)
    assert found, ended.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    return int(found[1]) * unit, ended.stdout


@pytest.mark.long
def test_large_objects_and_many_small_ones_fit_into_200_mb(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    for number in range(3):
        source.put(f"large/{number}", bytes([number]) * LARGE)
    source.fill(pairs(1000))

    used, _ = peak(lakebed, "sync", f"here:{source.name}", f"there:{destination.name}")

    assert used < LIMIT
    assert sum(found.size for found in destination.listing()) == sum(
        found.size for found in source.listing()
    )


def _page(asked: Asked) -> Answer:
    """A page of many keys, behind which there is nothing."""
    query = parse_qs(urlsplit(asked.path).query)
    after = query.get("start-after", [""])[0]
    first = int(query.get("continuation-token", ["0"])[0]) or int(after[-13:-4] or -1) + 1
    if "empty" in asked.path or "delimiter" in query:
        return answer(
            "200 OK", "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
        )
    end = first + PAGE
    more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < KEYS else ""
    entries = "".join(
        f"<Contents><Key>data/spot/daily/trades/SYMBOL/SYMBOL-trades-{number:09}.zip</Key>"
        "<LastModified>2026-05-08T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;{number:032x}&quot;</ETag><Size>{number}</Size></Contents>"
        for number in range(first, min(end, KEYS))
    )
    return answer(
        "200 OK",
        f"<ListBucketResult><IsTruncated>{str(end < KEYS).lower()}</IsTruncated>"
        f"{more}{entries}</ListBucketResult>",
    )


@pytest.fixture
def listing() -> Iterator[Gateway]:
    with Gateway(choose=_page) as opened:
        yield opened


def test_a_plan_of_a_long_listing_fits_into_200_mb(lakebed: Lakebed, listing: Gateway) -> None:
    pretended = lakebed.store("here", endpoint=listing.endpoint)

    used, out = peak(pretended, "plan", "here:many", "here:empty")

    assert used < LIMIT
    assert f"{KEYS:,} copy, 0 skip, 0 changed, 0 extra" in out
    # A busy machine may also ask for a single key, or for folders.
    whole = [asked for asked in listing.seen if f"max-keys={PAGE}" in asked.path]
    pages = [asked for asked in whole if "delimiter" not in asked.path]
    assert len(pages) == KEYS // PAGE + 1
