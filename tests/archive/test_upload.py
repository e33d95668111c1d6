"""A generated archive in a store."""

import pytest

from lakebed.archive.generate import pairs
from lakebed.archive.spec import Spec
from lakebed.archive.upload import Uploaded, upload
from lakebed.errors import AccessDenied, Interrupted, UsageError
from lakebed.model.location import Location
from lakebed.model.objects import Attributes, Write, Written
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import NO_ATTRIBUTES, Body
from lakebed.store.memory import MemoryStore

FOLDER = Location("origin", "archive", "mirror/")


def test_pairs_arrive_under_the_folder_in_a_bucket_that_is_made() -> None:
    store = MemoryStore()
    spec = Spec(pairs=40, halves=1)
    seen: list[Uploaded] = []
    total = upload(spec, store, FOLDER, watch=seen.append)
    listed = store.list_page("archive").objects
    expected = {f"mirror/{pair.checksum_key}": len(pair.checksum) for pair in pairs(spec)}
    expected |= {f"mirror/{pair.key}": pair.size for pair in pairs(spec) if pair.archive}
    assert {found.key: found.size for found in listed} == expected
    assert total == Uploaded(40, len(expected), sum(expected.values()))
    assert seen[-1] == total
    assert len(seen) == 40


def test_a_second_revision_changes_only_the_replaced_pairs() -> None:
    store = MemoryStore(buckets=["archive"])
    upload(Spec(pairs=40), store, FOLDER)
    before = {found.key: found.etag for found in store.list_page("archive").objects}
    upload(Spec(pairs=40, replace=2, revision=2), store, FOLDER)
    after = {found.key: found.etag for found in store.list_page("archive").objects}
    assert before.keys() == after.keys()
    changed = {key for key in before if before[key] != after[key]}
    assert len(changed) == 4
    assert all(key.endswith((".zip", ".zip.CHECKSUM")) for key in changed)


def test_one_exact_key_is_no_place_for_an_archive() -> None:
    with pytest.raises(UsageError, match="not a folder"):
        upload(Spec(pairs=1), MemoryStore(), Location("origin", "archive", "file"))


def test_it_stops_when_told_to() -> None:
    stop = Cancellation()

    def after_some(uploaded: Uploaded) -> None:
        stop.stop(Interrupted("enough"))

    with pytest.raises(Interrupted, match="enough"):
        upload(Spec(pairs=10**6), MemoryStore(), FOLDER, stop, after_some)


class Refusing(MemoryStore):
    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Attributes = NO_ATTRIBUTES,
        sha256: str | None = None,
        write: Write = Write.ALWAYS,
    ) -> Written:
        raise AccessDenied("no", subject=key)


def test_the_first_error_ends_it() -> None:
    with pytest.raises(AccessDenied):
        upload(Spec(pairs=10**6), Refusing(), FOLDER)
