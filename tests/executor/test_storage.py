"""Stores, their buckets and what is in them, over HTTP, within what a caller is granted."""

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.access.caller import Grant
from lakebed.access.permission import Role
from lakebed.executor import stores
from lakebed.model.location import Location
from tests.e2e.buckets import Bucket
from tests.executor.inprocess import Inside, caller, inside, settings_in, store_of
from tests.fixtures_stores import Served

ROOT = "/api/v1/storage"


@pytest.fixture
def replica(tmp_path: Path, served: Served) -> Iterator[Inside]:
    """Its one store is `lake`."""
    with inside(settings_in(tmp_path, lake=store_of("lake", served))) as replica:
        yield replica


def usage(replica: Inside, **place: str) -> tuple[int, dict[str, object]]:
    answer = replica.client.get(f"{ROOT}/usage", params=place)
    return answer.status_code, answer.json()


def test_the_stores_are_told_with_what_their_buckets_can_do(
    replica: Inside, destination: Bucket, served: Served
) -> None:
    probed = replica.client.post(f"{ROOT}/stores/lake/probe", params={"bucket": destination.name})
    assert probed.json()["capabilities"]["write"] is True
    found = {one["store"]: one for one in replica.client.get(f"{ROOT}/stores").json()["stores"]}
    lake = found["lake"]
    assert lake["buckets"] == [probed.json()]
    assert (lake["endpoint"], lake["addressing"], lake["credentials"]) == (
        *(served.endpoint, "path"),
        "static",
    )
    assert served.secret_key not in str(found)
    assert destination.keys() == []


def test_a_caller_sees_only_what_its_grants_touch(replica: Inside, destination: Bucket) -> None:
    replica.client.post(f"{ROOT}/stores/lake/probe", params={"bucket": destination.name})
    replica.become(caller(Role.READONLY_USER, Grant("lake:elsewhere/")))
    (lake,) = replica.client.get(f"{ROOT}/stores").json()["stores"]
    assert (lake["store"], lake["buckets"]) == ("lake", [])
    assert destination.name not in replica.client.get(f"{ROOT}/buckets").json()["buckets"]
    replica.become(caller(Role.READONLY_USER, Grant(f"lake:{destination.name}/in/")))
    assert replica.client.get(f"{ROOT}/buckets").json() == {
        "store": "lake",
        "buckets": [destination.name],
    }
    replica.become(caller(Role.READONLY_USER, Grant("other:")))
    assert replica.client.get(f"{ROOT}/stores").json() == {"stores": []}


@pytest.mark.parametrize("store", ["lake", "", "nowhere"])
def test_no_request_leaves_where_no_grant_touches_the_store(
    replica: Inside, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.setattr(stores, "open_store", None)
    replica.become(caller(Role.STORAGE_ADMIN, Grant("other:", write=True)))
    bucket = {"store": store, "bucket": "abc"}
    answers = [
        replica.client.get(f"{ROOT}/buckets", params={"store": store}),
        replica.client.get(f"{ROOT}/usage", params=bucket),
        replica.client.post(f"{ROOT}/buckets", json=bucket),
        replica.client.post(f"{ROOT}/stores/{store or 'lake'}/probe", params={"bucket": "abc"}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert "known" not in answers[0].text


def test_a_bucket_is_made_once_by_whoever_may_write_all_of_it(replica: Inside) -> None:
    body = {"store": "lake", "bucket": f"made-{token_hex(6)}"}
    root = Grant(f"lake:{body['bucket']}", write=True)
    for one in (
        caller(Role.READONLY_USER, root),
        caller(Role.STORAGE_ADMIN, Grant(f"lake:{body['bucket']}/in/", write=True)),
        caller(Role.STORAGE_ADMIN, Grant("lake:")),
    ):
        replica.become(one)
        assert replica.client.post(f"{ROOT}/buckets", json=body).status_code == 403
    replica.become(caller(Role.STORAGE_ADMIN, root))
    for _ in range(2):
        made = replica.client.post(f"{ROOT}/buckets", json=body)
        assert (made.status_code, made.json()) == (201, body)
    assert replica.client.get(f"{ROOT}/buckets").json()["buckets"] == [body["bucket"]]


def test_the_use_of_a_place_is_counted_and_remembered(replica: Inside, source: Bucket) -> None:
    source.fill({"in/a": b"123", "in/b/c": b"4567", "other": b"8"})
    place = {"store": "lake", "bucket": source.name, "prefix": "in/"}
    counted = {**place, "objects": 2, "bytes": 7, "truncated": False}
    assert usage(replica, **place) == (200, counted)
    source.put("in/d", b"9")
    assert usage(replica, **place) == (200, counted)
    assert usage(replica, bucket=source.name)[1]["objects"] == 4


def test_a_long_listing_is_cut(
    replica: Inside, source: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.fill(dict.fromkeys("abc", b"1"))
    monkeypatch.setattr(stores, "MOST_KEYS", 2)
    _, found = usage(replica, bucket=source.name)
    assert (found["objects"], found["truncated"]) == (2, True)


def test_a_place_must_be_one_that_grants_can_speak_of(replica: Inside, source: Bucket) -> None:
    replica.become(caller(Role.READONLY_USER, Grant(f"lake:{source.name}/in/")))
    assert usage(replica, bucket=source.name, prefix="in/")[0] == 200
    assert usage(replica, bucket=source.name, prefix="in")[0] == 422
    assert usage(replica, bucket=source.name)[0] == 403
    assert usage(replica, bucket=f"{source.name}/in")[0] == 422
    assert usage(replica, bucket=source.name, prefix="in/../")[0] == 403


@pytest.mark.parametrize("store", ["file", "file://"])
def test_folders_of_the_machine_are_not_offered(replica: Inside, store: str) -> None:
    assert usage(replica, store=store, bucket="etc")[0] == 422
    assert replica.client.get(f"{ROOT}/buckets", params={"store": "file"}).status_code == 422
    body = {"store": "file", "bucket": "tmp"}
    assert replica.client.post(f"{ROOT}/buckets", json=body).status_code == 422


def test_a_bucket_that_is_not_there_is_not_found(replica: Inside) -> None:
    status, problem = usage(replica, store="lake", bucket=f"none-{token_hex(6)}")
    assert (status, problem["code"]) == (404, "bucket-missing")


PARTS = st.sampled_from(["lake", "a", "b", ""])


@given(PARTS, PARTS, PARTS, PARTS, PARTS)
def test_what_a_grant_covers_it_touches(
    named: str, within: str, store: str, bucket: str, path: str
) -> None:
    grant = Grant(f"{named}:{within}")
    if grant.covers(Location(store, bucket, path)):
        assert grant.touches(store)
        assert grant.touches(store, bucket)
