"""The faults themselves: each does what it says, when it is due, and is put on record."""

import hashlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import (
    AccessDenied,
    BodyTruncated,
    ChecksumRefused,
    LakebedError,
    ListingRefused,
    ObjectMissing,
    PreconditionFailed,
    StoreFault,
    StoreUnreachable,
    Throttled,
)
from lakebed.store.contract import Buffer
from lakebed.store.memory import MemoryStore
from tests.faults import (
    Change,
    ChangeAfter,
    CutPage,
    Deny,
    Disorder,
    Drop,
    EmptyPage,
    Fail,
    Fault,
    Faulty,
    Flip,
    Hold,
    HtmlPage,
    Injected,
    LoseAck,
    Refuse,
    RepeatToken,
    Retag,
    Throttle,
    Truncate,
)

DATA = b"0123456789"


@pytest.fixture
def inner() -> MemoryStore:
    store = MemoryStore("lake", buckets=["bucket"])
    for key in ("a", "b", "c"):
        store.put("bucket", key, Buffer((DATA[:4], DATA[4:])))
    return store


@pytest.fixture
def store(inner: MemoryStore) -> Faulty:
    return Faulty(inner)


def read(store: Faulty, key: str = "a") -> bytes:
    chunks: list[bytes] = []
    store.get("bucket", key, chunks.append)
    return b"".join(chunks)


def test_without_a_plan_nothing_is_spoiled(store: Faulty) -> None:
    assert read(store) == DATA
    assert store.injected == []
    assert store.calls == [("get", "bucket", "a")]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Drop(), StoreUnreachable),
        (LoseAck(), StoreUnreachable),
        (Throttle(), Throttled),
        (Fail(), StoreFault),
        (Deny(), AccessDenied),
        (Refuse(ObjectMissing("gone")), ObjectMissing),
    ],
    ids=repr,
)
@pytest.mark.parametrize("verb", ["head", "get", "put", "delete", "list_page", "buckets"])
def test_a_refusal_meets_any_verb(
    store: Faulty, fault: Fault, error: type[LakebedError], verb: str
) -> None:
    store.inject(fault, verb)
    calls = {
        "head": lambda: store.head("bucket", "a"),
        "get": lambda: read(store),
        "put": lambda: store.put("bucket", "a", Buffer((DATA,))),
        "delete": lambda: store.delete("bucket", "a"),
        "list_page": lambda: store.list_page("bucket"),
        "buckets": store.buckets,
    }
    with pytest.raises(error):
        calls[verb]()
    assert [(found.verb, found.fault) for found in store.injected] == [(verb, fault)]


def test_a_fault_meets_the_nth_call_and_so_many_after_it(store: Faulty) -> None:
    store.inject(Fail(), "head", nth=2, times=2)
    met = []
    for _ in range(5):
        try:
            store.head("bucket", "a")
            met.append(False)
        except StoreFault:
            met.append(True)
    assert met == [False, True, True, False, False]
    assert store.count("head") == 5
    assert store.count("head", "b") == 0


def test_a_fault_may_go_on_until_the_store_is_healed(store: Faulty) -> None:
    store.inject(Deny(), "head", times=None)
    for _ in range(3):
        with pytest.raises(AccessDenied):
            store.head("bucket", "a")
    store.heal()
    assert store.head("bucket", "a").size == 10
    assert len(store.injected) == 3


def test_a_fault_may_be_meant_for_one_key_or_for_some(store: Faulty) -> None:
    store.inject(Deny(), "get", key="b")
    store.inject(Drop(), "get", key=lambda key: key > "b")
    assert read(store, "a") == DATA
    with pytest.raises(AccessDenied):
        read(store, "b")
    with pytest.raises(StoreUnreachable):
        read(store, "c")
    assert store.injected == [
        Injected("get", "bucket", "b", Deny()),
        Injected("get", "bucket", "c", Drop()),
    ]


def test_where_plans_meet_the_first_acts_and_both_count(store: Faulty) -> None:
    store.inject(Deny(), "head")
    store.inject(Drop(), "head", nth=2)
    with pytest.raises(AccessDenied):
        store.head("bucket", "a")
    with pytest.raises(StoreUnreachable):
        store.head("bucket", "a")


def test_a_verb_that_the_contract_does_not_have_is_a_mistake(store: Faulty) -> None:
    with pytest.raises(AssertionError, match="fetch"):
        store.inject(Drop(), "fetch")


def test_a_throttled_call_says_how_long(store: Faulty) -> None:
    store.inject(Throttle(retry_after=2), "head")
    with pytest.raises(Throttled) as refused:
        store.head("bucket", "a")
    assert refused.value.retry_after == 2


def test_a_dropped_put_wrote_nothing_and_a_lost_answer_everything(
    store: Faulty, inner: MemoryStore
) -> None:
    store.inject(Drop(), "put", key="dropped")
    store.inject(LoseAck(), "put", key="lost")
    for key in ("dropped", "lost"):
        with pytest.raises(StoreUnreachable):
            store.put("bucket", key, Buffer((DATA,)))
    assert inner.head("bucket", "lost").size == 10
    with pytest.raises(ObjectMissing):
        inner.head("bucket", "dropped")


def test_the_answer_to_a_completed_upload_may_be_lost(store: Faulty, inner: MemoryStore) -> None:
    store.inject(LoseAck(), "complete_upload")
    upload_id = store.create_upload("bucket", "parts")
    part = store.upload_part("bucket", "parts", upload_id, 1, Buffer((DATA,)))
    with pytest.raises(StoreUnreachable):
        store.complete_upload("bucket", "parts", upload_id, [part])
    assert inner.head("bucket", "parts").size == 10


@given(st.integers(0, 9))
def test_a_get_is_cut_after_so_many_bytes(at: int) -> None:
    inner = MemoryStore(buckets=["bucket"])
    inner.put("bucket", "a", Buffer((DATA,)))
    store = Faulty(inner)
    store.inject(Truncate(at), "get")
    chunks: list[bytes] = []
    with pytest.raises(BodyTruncated):
        store.get("bucket", "a", chunks.append)
    assert b"".join(chunks) == DATA[:at]


@given(st.integers(0, 9))
def test_a_put_that_is_cut_leaves_nothing(at: int) -> None:
    store = Faulty(MemoryStore(buckets=["bucket"]))
    store.inject(Truncate(at), "put")
    with pytest.raises(StoreUnreachable):
        store.put("bucket", "a", Buffer((DATA[:3], DATA[3:])))
    assert store.list_page("bucket").objects == ()


@given(st.integers(0, 9))
def test_one_byte_flips_on_its_way_in_either_direction(at: int) -> None:
    spoiled = DATA[:at] + bytes([DATA[at] ^ 1]) + DATA[at + 1 :]
    store = Faulty(MemoryStore(buckets=["bucket"]))
    store.inject(Flip(at), "put", key="a")
    store.put("bucket", "a", Buffer((DATA[:3], DATA[3:])))
    assert read(store, "a") == spoiled
    store.put("bucket", "b", Buffer((DATA[:3], DATA[3:])))
    store.inject(Flip(at), "get", key="b")
    assert read(store, "b") == spoiled
    assert read(store, "b") == DATA


def test_a_byte_that_flips_on_a_part_is_seen_by_its_etag(store: Faulty) -> None:
    store.inject(Flip(9), "upload_part")
    upload_id = store.create_upload("bucket", "parts")
    part = store.upload_part("bucket", "parts", upload_id, 1, Buffer((DATA,)))
    assert part.etag != hashlib.md5(DATA, usedforsecurity=False).hexdigest()


def test_a_byte_that_flips_is_refused_where_the_digest_was_sent(store: Faulty) -> None:
    store.inject(Flip(), "put")
    with pytest.raises(ChecksumRefused):
        store.put("bucket", "x", Buffer((DATA,)), sha256=hashlib.sha256(DATA).hexdigest())


def test_a_held_call_waits_for_its_release(store: Faulty) -> None:
    hold = Hold()
    store.inject(hold, "get")
    found: list[bytes] = []
    caller = threading.Thread(target=lambda: found.append(read(store)))
    caller.start()
    assert hold.reached.wait(30)
    assert found == []
    hold.release.set()
    caller.join(30)
    assert found == [DATA]


def test_a_held_call_that_nobody_releases_ends(
    store: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.faults.PATIENCE", 0.0)
    store.inject(Hold(), "head")
    with pytest.raises(AssertionError, match="lake:bucket/a was never released"):
        store.head("bucket", "a")


def test_the_object_changes_between_the_listing_and_the_get(
    store: Faulty, inner: MemoryStore
) -> None:
    store.inject(Change(lambda: inner.put("bucket", "a", Buffer((b"new",)))), "get")
    (listed, *_) = store.list_page("bucket").objects
    with pytest.raises(PreconditionFailed):
        store.get("bucket", "a", lambda chunk: None, if_match=listed.etag)


def test_the_object_changes_right_after_the_head(store: Faulty, inner: MemoryStore) -> None:
    store.inject(ChangeAfter(lambda: inner.put("bucket", "a", Buffer((b"new",)))), "head")
    assert store.head("bucket", "a").size == 10
    assert store.head("bucket", "a").size == 3


def test_an_answer_carries_another_etag(store: Faulty) -> None:
    for verb in ("head", "put", "get", "list_page", "delete"):
        store.inject(Retag("other"), verb)
    assert store.head("bucket", "a").etag == "other"
    assert store.get("bucket", "a", lambda chunk: None).etag == "other"
    assert store.put("bucket", "a", Buffer((DATA,))).etag == "other"
    assert {found.etag for found in store.list_page("bucket").objects} == {"other"}
    store.delete("bucket", "a")
    assert len(store.injected) == 5


@pytest.mark.parametrize("fault", [HtmlPage(), CutPage()], ids=repr)
def test_what_is_no_listing_is_refused(store: Faulty, fault: Fault) -> None:
    store.inject(fault, "list_page", key="")
    with pytest.raises(ListingRefused):
        store.list_page("bucket")


def test_a_listing_is_spoiled_in_its_order_its_token_or_its_length(store: Faulty) -> None:
    store.inject(Disorder(), "list_page", nth=1)
    store.inject(RepeatToken(), "list_page", nth=2)
    store.inject(EmptyPage(), "list_page", nth=3)
    assert [found.key for found in store.list_page("bucket").objects] == ["c", "b", "a"]
    repeated = store.list_page("bucket", token="b", limit=1)
    assert ([found.key for found in repeated.objects], repeated.token) == (["b"], "b")
    empty = store.list_page("bucket")
    assert empty.objects == ()
    assert empty.token is not None
