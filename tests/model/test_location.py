"""Locations, as people write them."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import UsageError
from lakebed.model.location import MAX_KEY_BYTES, Location

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
KEYS = st.one_of(TEXT, st.text(st.sampled_from("a/.:%+ 币\n"), max_size=20))
SEGMENTS = TEXT.map(lambda text: text.replace("/", "").replace("\0", "")).filter(
    lambda name: name not in ("", ".", "..")
)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)
# A store called `s3` is written like the default store's scheme where `//` follows it.
STORES = st.one_of(st.just(""), NAMES.filter(lambda name: name not in ("s3", "file")))
BUCKETS = st.from_regex(r"[a-z0-9][a-z0-9.-]{2,20}", fullmatch=True)


@given(STORES, BUCKETS, KEYS)
def test_a_location_is_read_back_as_it_was_written(store: str, bucket: str, path: str) -> None:
    location = Location(store, bucket, path)
    assert Location.parse(str(location)) == location


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lake:bronze", Location("lake", "bronze")),
        ("lake:bronze/", Location("lake", "bronze")),
        ("lake:bronze//", Location("lake", "bronze", "/")),
        ("lake:bronze//lead", Location("lake", "bronze", "/lead")),
        ("lake:bronze/a:b", Location("lake", "bronze", "a:b")),
        ("s3://bronze/a b", Location("", "bronze", "a b")),
        (
            "binance:data.binance.vision/data/spot/daily/",
            Location("binance", "data.binance.vision", "data/spot/daily/"),
        ),
    ],
)
def test_a_location_names_a_store_a_bucket_and_a_path(text: str, expected: Location) -> None:
    assert Location.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "bucket", "name"),
    [
        ("./", "/here/now", ""),
        (".", "/here/now", ""),
        ("..", "/here", ""),
        ("./data/", "/here/now/data", ""),
        ("./data/..", "/here/now", ""),
        ("./data/a.zip", "/here/now/data", "a.zip"),
        ("./.hidden", "/here/now", ".hidden"),
        ("../data/", "/here/data", ""),
        ("/srv/data/", "/srv/data", ""),
        ("//srv//data/", "/srv/data", ""),
        ("/", "/", ""),
        ("/a.zip", "/", "a.zip"),
        ("~/data/", "/me/data", ""),
        ("file:///srv/a b%20c/", "/srv/a b%20c", ""),
        ("file:/srv/a.zip", "/srv", "a.zip"),
    ],
)
def test_a_path_of_this_machine_is_an_absolute_folder_and_perhaps_a_file(
    monkeypatch: pytest.MonkeyPatch, text: str, bucket: str, name: str
) -> None:
    monkeypatch.setenv("HOME", "/me")
    monkeypatch.setattr(os, "getcwd", lambda: "/here/now")
    location = Location.parse(text)
    assert location == Location("file", bucket, name)
    assert location.is_local
    assert location.is_folder is not bool(name)


def test_two_dots_behind_a_link_mean_what_the_system_says(tmp_path: Path) -> None:
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far/away")
    assert Location.parse(f"{tmp_path}/link/../").bucket == str(tmp_path / "far")
    assert Location.parse(f"{tmp_path}/link/").bucket == str(tmp_path / "link")


@given(st.lists(SEGMENTS, max_size=3), st.one_of(st.just(""), SEGMENTS))
def test_a_path_of_this_machine_is_read_back_as_it_was_written(
    folders: list[str], name: str
) -> None:
    location = Location("file", "/" + "/".join(folders), name)
    assert Location.parse(str(location)) == location


@pytest.mark.parametrize("text", ["data", "data/x:y", ".hidden/", "~", "data/"])
def test_what_may_be_a_path_or_not_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UsageError, match=r"write store:bucket/prefix/, .* or \./folder/"):
        Location.parse(text)


@pytest.mark.parametrize("text", ["file:", "file://", "file:data/", "file://host/data/", "./a\0/"])
def test_what_is_no_path_of_this_machine_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write file:///folder/"):
        Location.parse(text)


@pytest.mark.parametrize("text", ["s3://", "s3:///key", "lake:", "lake:/key", ":bucket/key"])
def test_what_names_no_bucket_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write store:bucket/prefix/"):
        Location.parse(text)


def test_a_path_has_at_most_1024_bytes() -> None:
    longest = "币" * 341 + "x"
    assert len(longest.encode()) == MAX_KEY_BYTES
    assert Location.parse(f"lake:bronze/{longest}").path == longest
    with pytest.raises(UsageError, match="1024 bytes"):
        Location.parse(f"lake:bronze/{longest}x")


def test_what_is_no_utf8_is_refused() -> None:
    with pytest.raises(UsageError, match="UTF-8"):
        Location.parse("lake:bronze/\udcff")
    with pytest.raises(UsageError, match="UTF-8"):
        Location.parse("/srv/\udcff/")


@given(BUCKETS, KEYS, KEYS)
def test_a_folder_is_cut_from_each_key_and_put_before_it(
    bucket: str, path: str, relative: str
) -> None:
    folder = Location("lake", bucket, f"{path}/" if path else "")
    assert folder.is_folder
    assert folder.relative(folder.key(relative)) == relative


@given(BUCKETS, KEYS, KEYS, KEYS)
def test_the_order_of_keys_is_that_of_their_relative_keys(
    bucket: str, path: str, one: str, other: str
) -> None:
    folder = Location("lake", bucket, f"{path}/" if path else "")
    assert (folder.key(one) < folder.key(other)) == (one < other)


@given(KEYS.filter(lambda path: path and not path.endswith("/")), KEYS)
def test_any_other_path_is_exactly_one_key(path: str, relative: str) -> None:
    exact = Location("lake", "bronze", path)
    assert not exact.is_folder
    assert exact.key(relative) == path
    assert exact.relative(path) == path.rpartition("/")[2]
