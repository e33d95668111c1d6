"""Locations, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import UsageError
from lakebed.model.location import MAX_KEY_BYTES, Location

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
KEYS = st.one_of(TEXT, st.text(st.sampled_from("a/.:%+ 币\n"), max_size=20))
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
    "text", [".", "./data", "../data", "/srv/data", "~/data", "data", "data/x:y", "file:///data"]
)
def test_a_local_folder_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(UsageError, match="lakebed store serve"):
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
