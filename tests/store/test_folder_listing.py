"""What a folder lists: the keys of its files, in the order of any other store."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakebed.errors import (
    AccessDenied,
    BucketMissing,
    Interrupted,
    ListingRefused,
    NotSupported,
    StoreFault,
)
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Page, Store
from lakebed.store.folder import listing
from lakebed.store.folder.store import FolderStore
from lakebed.store.listing import objects
from lakebed.store.memory import MemoryStore
from tests.store.conformance import keys, put

NAMES = st.text(st.sampled_from("ab-./0~é\uffee😀"), min_size=1, max_size=3).filter(
    lambda name: "/" not in name and name not in (".", "..")
)
KEYS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TREES = st.sets(KEYS, max_size=12).map(
    lambda found: sorted(k for k in found if not any(o.startswith(f"{k}/") for o in found))
)


@pytest.fixture
def store() -> Store:
    return FolderStore(Cancellation(), "here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "folder"
    found.mkdir()
    return found


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def pages(store: Store, bucket: str, prefix: str, delimiter: str, after: str) -> Iterator[Page]:
    token: str | None = None
    while True:
        page = store.list_page(
            bucket, prefix, after=after, token=token, delimiter=delimiter, limit=2
        )
        yield page
        if (token := page.token) is None:
            return


def told(found: Iterator[Page]) -> list[tuple[list[str], tuple[str, ...]]]:
    return [(keys(page), page.prefixes) for page in found]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    TREES,
    st.one_of(st.just(""), KEYS, KEYS.map(lambda key: f"{key}/")),
    st.sampled_from(["", "/"]),
    st.one_of(st.just(""), KEYS, KEYS.map(lambda key: f"{key}/")),
    st.booleans(),
)
def test_each_page_is_that_of_the_reference(
    tmp_path: Path, tree: list[str], prefix: str, delimiter: str, after: str, keeps: bool
) -> None:
    root = tmp_path / secrets.token_hex(8)
    root.mkdir()
    fill(root, *tree)
    (root / "empty").mkdir()
    reference = MemoryStore(buckets=["b"])
    for key in tree:
        put(reference, "b", key)
    store = FolderStore(Cancellation(), "here")
    found = []
    for page in pages(store, str(root), prefix, delimiter, after):
        found.append(page)
        if not keeps:
            store.close()  # so that the next page has to find where the last one ended
    assert told(iter(found)) == told(pages(reference, "b", prefix, delimiter, after))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES)
def test_a_listing_is_in_the_order_of_the_keys_utf8(tmp_path: Path, tree: list[str]) -> None:
    root = tmp_path / secrets.token_hex(8)
    root.mkdir()
    fill(root, *tree)
    found = [one.key for one in objects(FolderStore(Cancellation(), "here"), str(root))]
    assert found == sorted(tree, key=str.encode)


def test_listings_that_were_closed_for_others_go_on(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_OPEN", 1)
    fill(folder, "a", "b", "c/d", "c/e")
    first = [store.list_page(str(folder), prefix, limit=1) for prefix in ("", "c")]
    rest = store.list_page(str(folder), token=first[0].token)
    below = store.list_page(str(folder), "c", token=first[1].token)
    assert (keys(rest), keys(below)) == (["b", "c/d", "c/e"], ["c/e"])


def test_a_link_to_a_file_is_that_file(store: Store, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("bytes")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (listed,) = store.list_page(str(folder)).objects
    assert (listed.key, listed.size) == ("link", 5)
    assert listed.etag == store.head(str(folder), "link").etag


def test_a_link_to_a_folder_is_that_folder(store: Store, folder: Path, tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere/b", "elsewhere/c/d")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    assert keys(store.list_page(str(folder))) == ["link/b", "link/c/d"]


def test_a_link_back_to_a_folder_that_it_is_in_is_refused(store: Store, folder: Path) -> None:
    fill(folder, "a/b")
    (folder / "a/link").symlink_to(folder)
    with pytest.raises(ListingRefused, match="a/link/: a symbolic link leads back"):
        store.list_page(str(folder))


def test_a_link_to_itself_is_refused(store: Store, folder: Path) -> None:
    (folder / "link").symlink_to(folder / "link")
    with pytest.raises(ListingRefused, match="leads back to itself"):
        store.list_page(str(folder))


def test_a_link_to_nothing_is_refused_for_what_it_stands_for_may_only_be_away(
    store: Store, folder: Path
) -> None:
    (folder / "link").symlink_to(folder / "unmounted")
    with pytest.raises(ListingRefused, match="link: a symbolic link leads to nothing"):
        store.list_page(str(folder))


def test_what_is_neither_file_nor_folder_is_skipped_with_a_line(
    store: Store, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(folder / "fifo")
    fill(folder, "a")
    assert keys(store.list_page(str(folder))) == ["a"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder}/fifo: skipped, it is no file"
    ]


def test_a_name_that_is_no_utf8_is_refused_by_name(store: Store, folder: Path) -> None:
    with open(os.fsencode(folder) + b"/caf\xe9.zip", "wb"):
        pass
    with pytest.raises(ListingRefused, match=r"caf\\xe9\.zip: the name of this file is no UTF-8"):
        store.list_page(str(folder))


def test_what_is_gone_by_the_time_of_its_page_is_not_listed(store: Store, folder: Path) -> None:
    fill(folder, "a", "b", "c/d", "e", "f")
    first = store.list_page(str(folder), limit=1)
    for name in ("c/d", "e"):
        (folder / name).unlink()
    (folder / "c").rmdir()
    assert keys(store.list_page(str(folder), token=first.token)) == ["b", "f"]


@pytest.mark.parametrize("delimiter", ["", "/"])
def test_unfinished_files_are_not_listed(store: Store, folder: Path, delimiter: str) -> None:
    fill(folder, ".lakebed~0123", ".lakebed~/upload/key", "a/.lakebed~4567", ".lakebed-probe/x")
    found = store.list_page(str(folder), delimiter=delimiter)
    assert [*keys(found), *found.prefixes] == [
        ".lakebed-probe/" if delimiter else ".lakebed-probe/x"
    ]


@pytest.mark.parametrize("prefix", ["../", "./", "a//", "/", "a/../", "nul\0/", "\ud800", "f/x"])
def test_a_prefix_that_no_file_can_have_lists_nothing(
    store: Store, folder: Path, prefix: str
) -> None:
    fill(folder, "a/b", "f")
    assert store.list_page(str(folder), prefix) == Page(())


def test_a_missing_folder_is_no_empty_listing(store: Store, folder: Path) -> None:
    with pytest.raises(BucketMissing, match="there is no such folder"):
        store.list_page(str(folder / "absent"))
    fill(folder, "file")
    with pytest.raises(BucketMissing):
        store.list_page(str(folder / "file"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [(PermissionError(13, "no"), AccessDenied), (OSError(5, "io"), StoreFault)],
)
def test_a_folder_that_cannot_be_read_is_no_empty_one(
    store: Store,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    expected: type[Exception],
) -> None:
    def refuse(path: bytes) -> None:
        raise error

    monkeypatch.setattr("lakebed.store.folder.walk.os.scandir", refuse)
    with pytest.raises(expected):
        store.list_page(str(folder))


def test_a_listing_ends_when_all_is_to_stop(folder: Path) -> None:
    cancellation = Cancellation()
    store = FolderStore(cancellation, "here")
    cancellation.stop(Interrupted("stopped"))
    with pytest.raises(Interrupted):
        store.list_page(str(folder))


def test_only_a_slash_tells_folders_apart(store: Store, folder: Path) -> None:
    with pytest.raises(NotSupported):
        store.list_page(str(folder), delimiter="-")
