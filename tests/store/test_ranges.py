"""A listing in ranges is the plain one: nothing lost, nothing twice, in order, or an error."""

import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from io import BytesIO
from itertools import count
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.errors import ListingRefused, StoreUnreachable
from lakebed.model.objects import Attributes, Object
from lakebed.store import ranges
from lakebed.store.contract import PAGE_LIMIT, Buffer, Page, Store
from lakebed.store.in_order import in_order
from lakebed.store.listing import pages
from lakebed.store.memory import MemoryStore
from lakebed.store.ranges import folders_after, ranged_pages
from lakebed.store.wrappers.forwarding import Forwarding
from tests.fixtures_stores import Served
from tests.store.served import open_served

PIECES = st.sampled_from(["a", "b", "/", "//", "-", ".", "0", "币", "\U0001f600", "\0"])
KEYS = st.frozensets(st.lists(PIECES, min_size=1, max_size=7).map("".join), max_size=60)


class SmallPages(Forwarding):
    """Gives at most `size` keys a page, and notes what it was asked for."""

    def __init__(self, store: MemoryStore, size: int) -> None:
        super().__init__(store)
        self.size = size
        self.asked: list[tuple[str, str]] = []

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        self.asked.append((after, delimiter))
        return super().list_page(
            bucket, prefix, after=after, token=token, delimiter=delimiter, limit=self.size
        )


def holding(keys: frozenset[str], size: int = 2) -> SmallPages:
    store = MemoryStore("lake", buckets=["bucket"])
    for key in keys:
        store.put("bucket", key, Buffer((b"1",)))
    return SmallPages(store, size)


def listed(store: Forwarding, prefix: str = "", after: str = "") -> list[str]:
    ticks = count()  # each page takes a second
    found = ranged_pages(store, "bucket", prefix, after=after, clock=lambda: float(next(ticks)))
    return [listed.key for page in found for listed in page]


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("lakebed-list")]


@settings(max_examples=60)
@given(KEYS, st.integers(1, 3), st.sampled_from(["", "a", "a/", "a/b"]), st.data())
def test_ranges_are_joined_to_the_plain_listing(
    keys: frozenset[str], size: int, prefix: str, data: st.DataObject
) -> None:
    after = data.draw(st.sampled_from(["", *sorted(keys)]))
    with patch.object(ranges, "THREADS", 3), patch.object(ranges, "_AHEAD", 2):
        found = listed(holding(keys, size), prefix, after)
    assert found == sorted(key for key in keys if key.startswith(prefix) and key > after)
    assert threads() == []


@settings(max_examples=60)
@given(KEYS, st.lists(st.lists(PIECES, max_size=4).map("".join), max_size=8))
def test_any_cuts_will_do(keys: frozenset[str], cuts: list[str]) -> None:
    rising = sorted(set(cuts) - {""})
    with patch.object(ranges, "folders_after", lambda *_: iter(rising)):
        found = [
            o.key for page in ranges._Ranges(holding(keys), "bucket", "").pages("") for o in page
        ]
    assert found == sorted(keys)


def test_a_short_listing_pays_nothing() -> None:
    store = holding(frozenset("abc"), size=2)
    assert listed(store) == ["a", "b", "c"]
    assert len(store.asked) == 2


def test_a_fast_store_is_listed_page_by_page() -> None:
    store = holding(frozenset(f"{folder}/{number}" for folder in "abc" for number in range(9)))
    assert sum(map(len, ranged_pages(store, "bucket", clock=lambda: 0.0))) == 27
    assert {delimiter for _, delimiter in store.asked} == {""}


@pytest.mark.parametrize(
    "moments",
    [
        [0.0, 9.0, 18.0, 18.0, 19.0],  # a page takes nine times as long as one key
        [0.0, 0.06, 0.12, 0.12, 0.15],  # one key comes as from no store that is far away
        [0.0, 9.0, 18.0, 18.0, 27.0, 27.0, 28.0],  # one that does was a chance
    ],
)
def test_a_near_store_that_is_busy_is_listed_page_by_page(moments: list[float]) -> None:
    store = holding(frozenset(f"{folder}/{number}" for folder in "abc" for number in range(9)))
    passing = iter([*moments, *[moments[-1]] * 99])
    pages = ranged_pages(store, "bucket", clock=lambda: next(passing))
    assert sum(map(len, pages)) == 27
    assert {delimiter for _, delimiter in store.asked} == {""}


def test_a_store_far_away_is_listed_from_several_folders_on() -> None:
    keys = frozenset(f"data/{folder}/{number}" for folder in "abcdef" for number in range(9))
    store = holding(keys, size=3)
    assert listed(store, "data/") == sorted(keys)
    assert {f"data/{folder}/" for folder in "bcdef"} <= {after for after, _ in store.asked}


def test_folders_come_from_near_to_far() -> None:
    keys = ["d/a/1/x", "d/a/2/x", "d/a/3/x", "d/b/1/x", "d/c/1/x", "d/e"]
    store = holding(frozenset(keys))
    assert list(folders_after(store, "bucket", "d/", "d/a/1/x")) == [
        "d/a/2/",
        "d/a/3/",
        "d/b/",
        "d/c/",
    ]


class Broken(SmallPages):
    """Fails in one range."""

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        if after.startswith("c/"):
            raise StoreUnreachable("gone")
        return super().list_page(
            bucket, prefix, after=after, token=token, delimiter=delimiter, limit=limit
        )


def test_a_range_that_fails_is_an_error_in_its_place() -> None:
    keys = frozenset(f"{folder}/{number}" for folder in "abcd" for number in range(4))
    whole = holding(keys)
    broken = Broken(MemoryStore("lake", buckets=["bucket"]), 2)
    broken._inner = whole._inner
    found: list[str] = []
    ticks = count()
    with pytest.raises(StoreUnreachable):  # noqa: PT012
        for page in ranged_pages(broken, "bucket", clock=lambda: float(next(ticks))):
            found += [o.key for o in page]
    assert found == sorted(key for key in keys if key < "c/")[: len(found)]
    assert "b/0" in found
    assert threads() == []


def test_keys_out_of_order_across_a_seam_are_refused() -> None:
    with (
        patch.object(ranges, "folders_after", lambda *_: iter(["b", "a"])),
        pytest.raises(ListingRefused, match="was listed"),
    ):
        listed(holding(frozenset("abcdef")))


class ByFolders(SmallPages):
    """Lists the keys of a folder before those that only begin with its name, as file systems do,
    so out of order."""

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        if delimiter:
            return Page((), tuple(f"{name}/" for name in "abc"))

        def order(key: str) -> list[str]:
            return key.split("/")

        held = [found for page in pages_of(self._inner) for found in page]
        start = token or after
        left = [found for found in held if order(found.key) > order(start)]
        left = sorted((f for f in left if f.key.startswith(prefix)), key=lambda f: order(f.key))
        page = tuple(left[: self.size])
        return Page(page, token=page[-1].key if len(left) > len(page) else None)


def pages_of(store: Store) -> list[tuple[Object, ...]]:
    return list(pages(store, "bucket"))


NAMES = st.frozensets(
    st.sampled_from([f"{f}{s}{n}" for f in "abc" for s in ("/", "-", "-/", "//") for n in "123"]),
    max_size=20,
)


@settings(max_examples=150)
@given(NAMES, st.integers(1, 3))
def test_a_store_of_another_order_is_refused_or_nothing_is_lost(
    keys: frozenset[str], size: int
) -> None:
    plain = holding(keys, 99)
    store = ByFolders(MemoryStore("lake"), size)
    store._inner = plain._inner
    with patch.object(ranges, "THREADS", 2):
        try:
            found = listed(store)
        except ListingRefused:
            return
    assert found == sorted(keys)


def test_a_key_that_goes_between_two_ranges_is_not_missed() -> None:
    store = holding(frozenset(["a/1", "a/2", "b/1", "b/2", "c/1"]))
    parts = ranges._Ranges(store, "bucket", "")
    for gone_or_met in ("b/0", "b/1"):
        parts._due = gone_or_met
        parts._meet(next(pages(store, "bucket", "b/")))
    parts._meet(None)
    parts._due = "b/1"
    with pytest.raises(ListingRefused, match="not where it should have been"):
        parts._meet(None)


def test_tasks_are_asked_for_as_places_become_free() -> None:
    begun: list[int] = []

    def tasks() -> Iterator[Callable[[], int]]:
        for number in range(6):
            begun.append(number)
            yield partial(int, number)

    results = in_order(tasks(), 2)
    assert next(results) == 0
    assert begun == [0, 1]
    assert list(results) == [1, 2, 3, 4, 5]


class HundredKeys(Forwarding):
    """Gives at most 100 keys a page, so that a few thousand make a long listing."""

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        return super().list_page(
            bucket, prefix, after=after, token=token, delimiter=delimiter, limit=min(limit, 100)
        )


@pytest.mark.parametrize("prefix", ["", "data/", "data/SYM0"])
def test_ranges_of_a_real_store_are_its_listing(minio_store: Served, prefix: str) -> None:
    """The keys come in one request, as a tar that MinIO unpacks."""
    keys = [
        f"data/SYM{number // 150:02}/1m/{number % 150:03}.zip{end}"
        for number in range(1500)
        for end in ("", ".CHECKSUM")
    ]
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for key in keys:
            tar.addfile(tarfile.TarInfo(key), BytesIO())
    unpack = Attributes(metadata={"snowball-auto-extract": "true"})
    with closing(open_served(minio_store)) as store:
        bucket = f"ranges-{len(prefix)}"
        store.create_bucket(bucket)
        store.put(bucket, "pack.tar", Buffer((packed.getvalue(),)), attributes=unpack)
        expected = [found for page in pages(store, bucket, prefix) for found in page]
        assert len(expected) == len(keys)
        paged = HundredKeys(store)
        found = ranges._Ranges(paged, bucket, prefix).pages("data/SYM00/1m/001.zip")
        assert [listed for page in found for listed in page] == expected[3:]
