"""The memory store: the contract's reference lacks nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from lakebed.errors import BodyTruncated, KeyUnsupported, ObjectTooLarge, RequestRefused
from lakebed.model.objects import Attributes
from lakebed.store.contract import Buffer, Properties, Store
from lakebed.store.memory import MemoryStore
from tests.store.conformance import StoreConformance, keys, put


@dataclass(frozen=True)
class Lying:
    """A body of four bytes that says it has `size`."""

    size: int

    def chunks(self) -> Iterator[bytes]:
        yield b"four"


@pytest.fixture(scope="module")
def store() -> Store:
    return MemoryStore()


class TestMemory(StoreConformance):
    """All of the contract, and what the contract leaves open."""

    def test_an_upload_that_is_neither_completed_nor_aborted_is_told(self) -> None:
        store = MemoryStore(buckets=["lake"])
        upload_id = store.create_upload("lake", "a")
        other = store.create_upload("lake", "b")
        part = store.upload_part("lake", "b", other, 1, Buffer((b"b",)))
        assert store.unfinished_uploads("lake") == ["a", "b"]
        store.complete_upload("lake", "b", other, [part])
        store.abort_upload("lake", "a", upload_id)
        assert store.unfinished_uploads("lake") == []

    def test_a_clock_of_the_test_gives_the_modification_times(self) -> None:
        moments = iter([datetime(2026, 5, 8, tzinfo=UTC), datetime(2026, 5, 9, tzinfo=UTC)])
        store = MemoryStore(buckets=["lake"], now=lambda: next(moments))
        put(store, "lake", "a")
        put(store, "lake", "b")
        assert [found.modified.day for found in store.list_page("lake").objects] == [8, 9]

    @pytest.mark.parametrize("key", ["", "\ud800"], ids=["empty", "surrogate"])
    def test_what_is_no_utf8_text_is_no_key(self, store: Store, bucket: str, key: str) -> None:
        with pytest.raises(KeyUnsupported):
            put(store, bucket, key)

    @pytest.mark.parametrize("size", [3, 5])
    def test_a_body_of_another_size_than_it_says_is_refused(
        self, store: Store, bucket: str, folder: str, size: int
    ) -> None:
        with pytest.raises(BodyTruncated):
            store.put(bucket, folder + "a", Lying(size))
        assert keys(store.list_page(bucket, folder)) == []

    def test_the_limits_of_the_properties_hold(self) -> None:
        limits = Properties(identity="small", max_put=10, min_part=4, max_parts=2)
        store = MemoryStore(buckets=["lake"], properties=limits)
        with pytest.raises(ObjectTooLarge):
            put(store, "lake", "a", b"x" * 11)
        upload_id = store.create_upload("lake", "a")
        with pytest.raises(RequestRefused):
            store.upload_part("lake", "a", upload_id, 3, Buffer((b"xxxx",)))
        parts = [
            store.upload_part("lake", "a", upload_id, number, Buffer((b"xxx",)))
            for number in (1, 2)
        ]
        with pytest.raises(RequestRefused):
            store.complete_upload("lake", "a", upload_id, parts)
        with pytest.raises(RequestRefused):
            store.complete_upload("lake", "a", upload_id, parts[::-1])
        with pytest.raises(RequestRefused):
            store.complete_upload("lake", "a", upload_id, [])

    def test_attributes_do_not_follow_the_map_they_came_in(self) -> None:
        metadata = {"Origin": "binance"}
        store = MemoryStore(buckets=["lake"])
        store.put("lake", "a", Buffer(()), attributes=Attributes(metadata=metadata))
        metadata["Origin"] = "elsewhere"
        assert store.head("lake", "a").attributes.metadata == {"origin": "binance"}

    def test_stores_of_other_names_are_not_one_server(self) -> None:
        assert MemoryStore("a").properties.identity != MemoryStore("b").properties.identity

    def test_a_closed_store_has_nothing_to_close(self) -> None:
        store = MemoryStore()
        store.close()
        store.close()
        assert store.buckets() == []
