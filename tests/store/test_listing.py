"""A whole listing as a stream: in order and complete, or refused."""

import sqlite3
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import BucketMissing, DiskFull, ListingRefused
from lakebed.model.objects import Object
from lakebed.store import listing
from lakebed.store.contract import PAGE_LIMIT, Buffer, Page, Store
from lakebed.store.listing import objects, sorted_objects, unordered_objects
from lakebed.store.memory import MemoryStore
from lakebed.store.wrappers.forwarding import Forwarding
from tests.faults import CutPage, Disorder, EmptyPage, Faulty, HtmlPage, RepeatToken

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
MOMENT = datetime(2026, 5, 8, 12, 30, 15, 123000, tzinfo=UTC)
NON_ASCII = ("a", "z", "é", "币安人生USDT", "\uffee", "\U0001f600")


class Listing(Protocol):
    def __call__(
        self, store: Store, bucket: str, prefix: str = "", *, after: str = ""
    ) -> Iterator[Object]: ...


each_way = pytest.mark.parametrize("listed", [objects, sorted_objects, unordered_objects])


class SmallPages(Forwarding):
    """Gives at most two objects a page."""

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
            bucket, prefix, after=after, token=token, delimiter=delimiter, limit=2
        )


class Scripted(Forwarding):
    """Answers with pages that were written beforehand."""

    def __init__(self, *pages: Page) -> None:
        super().__init__(MemoryStore())
        self._pages = iter(pages)

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
        return next(self._pages)


def page(*keys: str, token: str | None = None) -> Page:
    return Page(tuple(Object(key, 1, "etag", MOMENT) for key in keys), token=token)


def holding(*keys: str) -> MemoryStore:
    store = MemoryStore("lake", buckets=["bucket"], now=lambda: MOMENT)
    for key in keys:
        store.put("bucket", key, Buffer((key.encode(),)))
    return store


@given(st.frozensets(KEYS, max_size=12))
def test_every_object_comes_once_and_in_order(keys: frozenset[str]) -> None:
    found = list(objects(SmallPages(holding(*keys)), "bucket"))
    assert [f.key for f in found] == sorted(keys, key=str.encode)


@given(st.frozensets(KEYS, max_size=12))
def test_a_sorted_listing_is_the_plain_one(keys: frozenset[str]) -> None:
    store = SmallPages(holding(*keys))
    assert list(sorted_objects(store, "bucket")) == list(objects(store, "bucket"))


@each_way
def test_a_listing_keeps_to_its_prefix_and_begins_after_a_key(listed: Listing) -> None:
    store = SmallPages(holding("a", "d/1", "d/2", "d/3", "d/4", "e"))
    assert [f.key for f in listed(store, "bucket", "d/", after="d/2")] == ["d/3", "d/4"]


def test_a_listing_that_is_out_of_order_comes_sorted() -> None:
    shuffled = (page("é", "a", token="1"), page("\U0001f600", "\uffee", "z", token="2"))
    store = Scripted(*shuffled, page("币安人生USDT"))
    assert [f.key for f in sorted_objects(store, "bucket")] == list(NON_ASCII)


def test_an_unordered_listing_comes_as_the_store_gives_it() -> None:
    store = Scripted(page("é", "a", token="1"), page("z", "b"))
    assert [f.key for f in unordered_objects(store, "bucket")] == ["é", "a", "z", "b"]


@given(st.frozensets(KEYS, max_size=12))
def test_an_unordered_listing_of_an_ordered_store_is_the_plain_one(keys: frozenset[str]) -> None:
    store = SmallPages(holding(*keys))
    assert list(unordered_objects(store, "bucket")) == list(objects(store, "bucket"))


def test_a_sorted_listing_begins_after_a_key_by_our_order() -> None:
    store = Scripted(page("é", "a", "z"))
    assert [f.key for f in sorted_objects(store, "bucket", after="z")] == ["é"]


def test_a_sorted_listing_keeps_size_etag_and_time() -> None:
    original = Object("a\0b", 7, "tag-2", MOMENT)
    (found,) = sorted_objects(Scripted(Page((original,))), "bucket")
    assert found == original


@each_way
def test_an_empty_bucket_lists_as_nothing(listed: Listing) -> None:
    assert list(listed(holding(), "bucket")) == []


@each_way
def test_a_missing_bucket_is_not_an_empty_one(listed: Listing) -> None:
    with pytest.raises(BucketMissing):
        list(listed(MemoryStore(), "bucket"))


@pytest.mark.parametrize(
    "pages",
    [
        (page("b", "a"),),
        (page("a", "a"),),
        (page("a", "b", token="1"), page("b", "c")),
        (page("c", token="1"), page("a")),
        (page("\U0001f600", "\uffee"),),
    ],
)
def test_keys_out_of_order_are_refused_by_name(pages: tuple[Page, ...]) -> None:
    with pytest.raises(ListingRefused, match="was listed after"):
        list(objects(Scripted(*pages), "bucket"))


def test_a_key_that_is_not_after_the_cursor_is_refused() -> None:
    with pytest.raises(ListingRefused, match="'b' was listed after 'b'"):
        list(objects(Scripted(page("b")), "bucket", after="b"))


def test_a_sorted_listing_refuses_a_key_that_comes_twice() -> None:
    with pytest.raises(ListingRefused, match="'a' was listed twice"):
        list(sorted_objects(Scripted(page("b", "a", token="1"), page("a")), "bucket"))


@each_way
def test_a_key_outside_the_prefix_is_refused(listed: Listing) -> None:
    store = Scripted(page("d/1", "e"))
    with pytest.raises(ListingRefused, match="'e' does not start with 'd/'"):
        list(listed(store, "bucket", "d/"))


@each_way
def test_a_token_that_does_not_advance_is_refused(listed: Listing) -> None:
    store = Faulty(SmallPages(holding("a", "b", "c", "d", "e")))
    store.inject(RepeatToken(), "list_page", nth=2, times=None)
    with pytest.raises(ListingRefused, match="does not advance after 'd'"):
        list(listed(store, "bucket"))


@each_way
def test_an_empty_page_that_promises_more_is_refused(listed: Listing) -> None:
    store = Faulty(SmallPages(holding("a", "b", "c")))
    store.inject(EmptyPage(), "list_page", nth=2)
    with pytest.raises(ListingRefused, match="does not advance after an empty page"):
        list(listed(store, "bucket"))


@each_way
@pytest.mark.parametrize("fault", [HtmlPage(), CutPage()])
def test_what_is_no_listing_is_refused(listed: Listing, fault: HtmlPage | CutPage) -> None:
    store = Faulty(SmallPages(holding("a", "b", "c")))
    store.inject(fault, "list_page", nth=2)
    with pytest.raises(ListingRefused):
        list(listed(store, "bucket"))


def test_a_page_in_the_opposite_order_is_refused_unless_sorted() -> None:
    store = Faulty(holding("a", "b"))
    store.inject(Disorder(), "list_page", times=None)
    with pytest.raises(ListingRefused, match="lake:bucket: the key 'a' was listed after 'b'"):
        list(objects(store, "bucket"))
    assert [f.key for f in sorted_objects(store, "bucket")] == ["a", "b"]


def test_pages_before_a_refused_one_were_given_and_nothing_of_it() -> None:
    found = objects(Scripted(page("a", "b", token="1"), page("c", "a")), "bucket")
    assert [next(found).key, next(found).key] == ["a", "b"]
    with pytest.raises(ListingRefused):
        next(found)


def test_a_page_is_asked_for_when_it_is_needed() -> None:
    store = Faulty(SmallPages(holding("a", "b", "c")))
    found = objects(store, "bucket")
    assert store.count("list_page") == 0
    next(found)
    next(found)
    assert store.count("list_page") == 1
    next(found)
    assert store.count("list_page") == 2


def test_a_sorter_without_room_says_what_to_free(monkeypatch: pytest.MonkeyPatch) -> None:
    small = listing._SORTER + "PRAGMA max_page_count = 3;"
    monkeypatch.setattr(listing, "_SORTER", small)
    many = page(*(f"{number:0900}" for number in range(100)))
    with pytest.raises(DiskFull, match="free space"):
        list(sorted_objects(Scripted(many), "bucket"))


def test_an_abandoned_sorted_listing_closes_its_database(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remembered(database: str, *, check_same_thread: bool) -> sqlite3.Connection:
        opened.append(connect(database, check_same_thread=check_same_thread))
        return opened[0]

    monkeypatch.setattr(sqlite3, "connect", remembered)
    found = sorted_objects(Scripted(page("b", "a")), "bucket")
    assert next(found).key == "a"
    assert isinstance(found, Generator)
    found.close()
    with pytest.raises(sqlite3.ProgrammingError):
        opened[0].execute("SELECT 1")
