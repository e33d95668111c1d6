"""When a destination object is already what its source is."""

from datetime import UTC, datetime, timedelta

import pytest

from lakebed.model.objects import Object
from lakebed.model.operation import Compare, Copied, Proof
from lakebed.transfer.compare import settled_by_listing, unchanged

NOW = datetime(2026, 5, 8, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
A, B = "a" * 32, "b" * 32


def one(size: int = 1, etag: str = A, modified: datetime = NOW) -> Object:
    return Object("key", size, etag, modified)


def copied(proof: Proof = Proof.ETAG_MD5, source: str = A, destination: str = B) -> Copied:
    return Copied(source, destination, 1, proof, None)


@pytest.mark.parametrize(
    ("compare", "source", "destination", "last", "same", "reason"),
    [
        (Compare.SIZE, one(etag=A), one(etag=B), None, True, "same size"),
        (Compare.SIZE, one(1), one(2), copied(), False, "other size"),
        (Compare.AUTO, one(etag=A), one(etag=B), copied(), True, "copied before"),
        (Compare.AUTO, one(1, A), one(2, B), copied(), True, "copied before"),
        (Compare.AUTO, one(etag=A), one(etag=B), copied(source=B), False, "other ETag"),
        (Compare.AUTO, one(etag=A), one(etag=B), copied(destination=A), False, "other ETag"),
        (Compare.AUTO, one(1), one(2), None, False, "other size"),
        (Compare.AUTO, one(etag=A.upper()), one(etag=A), None, True, "same MD5"),
        (Compare.AUTO, one(etag=A), one(etag=B), None, False, "other ETag"),
        (Compare.AUTO, one(etag="x-2"), one(etag=A), None, True, "same size, not older"),
        (Compare.AUTO, one(etag="x-2"), one(etag="x-2"), None, True, "same size, not older"),
        (Compare.AUTO, one(etag=A), one(etag="x-2"), None, True, "same size, not older"),
        (Compare.AUTO, one(etag="x-2", modified=LATER), one(), None, False, "source is newer"),
        (Compare.ETAG, one(etag="x-2"), one(etag=A), None, False, "other ETag"),
        (Compare.ETAG, one(), one(), None, True, "same MD5"),
        (Compare.ETAG, one(), one(etag=B), copied(), True, "copied before"),
        (Compare.DIGEST, one(), one(), None, False, "not proved by a digest yet"),
        (Compare.DIGEST, one(), one(etag=B), copied(), False, "not proved by a digest yet"),
        (
            Compare.DIGEST,
            one(),
            one(etag=B),
            copied(Proof.PUBLISHER_SHA256),
            True,
            "proved before",
        ),
        (Compare.DIGEST, one(), one(etag=B), copied(Proof.SERVER_CHECKSUM), True, "proved before"),
        (
            Compare.DIGEST,
            one(etag=B),
            one(etag=B),
            copied(Proof.PUBLISHER_SHA256),
            False,
            "not proved by a digest yet",
        ),
    ],
)
def test_the_verdict_and_its_reason(
    compare: Compare,
    source: Object,
    destination: Object,
    last: Copied | None,
    same: bool,
    reason: str,
) -> None:
    assert unchanged(compare, source, destination, last) == (same, reason)


@pytest.mark.parametrize(
    ("compare", "destination", "settled"),
    [
        (Compare.AUTO, one(), True),
        (Compare.SIZE, one(), True),
        (Compare.DIGEST, one(), False),
        (Compare.AUTO, one(etag=B), False),
        (Compare.AUTO, one(size=2), False),
    ],
)
def test_equal_digests_in_the_listings_need_no_memory(
    compare: Compare, destination: Object, settled: bool
) -> None:
    assert settled_by_listing(compare, one(), destination) is settled
    assert not settled_by_listing(compare, one(etag="x-2"), one(etag="x-2"))
