"""Reports of operations that never were."""

from dataclasses import replace

from lakebed.model.location import Location
from lakebed.model.operation import (
    Filters,
    Kind,
    ObjectState,
    OperationState,
    Options,
    Request,
    Summary,
)
from lakebed.model.quarantine import Quarantined
from lakebed.model.report import Bin, Cause, Example, Report, Slow
from lakebed.operations.ledger import Failure

NASTY = "</script><script>alert(1)</script>&\"'\x1b[2J"
"""A key that would be more than a key wherever it is not escaped."""
REQUEST = Request(
    Location.parse("src:b/"),
    Location.parse("dst:b/in/"),
    options=Options(Filters(patterns=((True, "<b>*.zip"),)), concurrency=3),
)
NOTHING = Report(
    Summary("ID", OperationState.COMPLETED, 0, 0, 0, 0, 0, 0, 0, 0.4),
    REQUEST,
    told=1_700_000_100.0,
    created=1_700_000_000.0,
    started=1_700_000_000.0,
    finished=1_700_000_000.4,
)
FULL = replace(
    NOTHING,
    summary=Summary(
        "ID",
        OperationState.PARTIAL,
        listed=14,
        copied=10,
        skipped=1,
        failed=1,
        quarantined=2,
        deleted=0,
        bytes=11_000,
        seconds=2.0,
        lanes={"whole": 9, "stream": 1},
        proofs={"publisher-sha256": 4, "etag-md5": 6},
    ),
    throughput=tuple(
        Bin(n * 0.25, (n + 1) * 0.25, n % 3, n * 250 if n < 8 else 4000) for n in range(9)
    ),
    sizes=(Bin(512, 1024, 8, 6000), Bin(1024, 2048, 0, 0), Bin(2048, 4096, 2, 5000)),
    durations=(Bin(0.016, 0.032, 9, 9000), Bin(0.032, 0.064, 1, 2000)),
    slowest=(Slow(NASTY, 2500, 0.05, 2, "stream"), Slow("b", 700, 0.03, 1, None)),
    attempts={1: 12, 2: 1},
    causes=(
        Cause(
            "digest-refused",
            ObjectState.QUARANTINED,
            2,
            (Example(NASTY, f"{NASTY}: the bytes differ"),),
        ),
        Cause("throttled", ObjectState.FAILED, 1, (Example("c", "c: slow down"),)),
    ),
    quarantines=(
        Quarantined(Location("src", "b", NASTY), 1_700_000_001.0, "ID", NASTY, "d", "", "11", "22"),
        Quarantined(Location("src", "b", "y"), 1_700_000_001.0, "ID", "e", "d", "no digest in it"),
    ),
)
RUNNING = replace(
    FULL, summary=replace(FULL.summary, state=OperationState.RUNNING, pending=5), finished=None
)
VERIFIED = replace(FULL, request=replace(REQUEST, kind=Kind.VERIFY), resumed=True)
ROWS = [Failure(NASTY, ObjectState.QUARANTINED, "digest-refused", f"{NASTY}: the bytes differ")]
