"""How a folder reads and writes its files: one revision or an error, whole or not at all."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakebed.errors import (
    AccessDenied,
    BodyTruncated,
    BucketMissing,
    ChecksumRefused,
    DiskFull,
    Interrupted,
    KeyUnsupported,
    LakebedError,
    ObjectMissing,
    ObjectTooLarge,
    PreconditionFailed,
    RequestRefused,
    StoreFault,
)
from lakebed.model.objects import Part, Span, Write
from lakebed.settings import Settings, StoreSettings
from lakebed.store.build import identity_of, open_store
from lakebed.store.cancellation import Cancellation
from lakebed.store.capabilities import Capability
from lakebed.store.contract import Buffer
from lakebed.store.folder import draft
from lakebed.store.folder.revision import modified
from lakebed.store.folder.store import FolderStore
from lakebed.store.folder.unmade import to_be_made
from lakebed.store.probe import Probe
from tests.store.conformance import Broken, Cursed, keys, put, read

CHUNK = 256 * 1024


@pytest.fixture(params=["nameless", "named"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """As the system can, and as it must where a file cannot be without a name."""
    if request.param == "named":
        monkeypatch.setattr(draft, "_NAMELESS", 0)
    return FolderStore(Cancellation(), "here")


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / "root").mkdir()
    return str(tmp_path / "root")


def everything(root: str) -> list[str]:
    """Each name below, hidden ones and folders too."""
    return sorted(str(path.relative_to(root)) for path in Path(root).rglob("*"))


@dataclass(frozen=True)
class Lying:
    size: int

    def chunks(self) -> Iterator[bytes]:
        yield b"four"


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda path: os.truncate(path, 10),
        lambda path: os.utime(path, ns=(1, 1)),
        lambda path: path.write_bytes(b"y" * 3 * CHUNK),
    ],
    ids=["cut", "touched", "written over"],
)
def test_a_file_that_is_written_to_while_it_is_read_gives_no_later_bytes(
    store: FolderStore, root: str, change: Callable[[Path], object]
) -> None:
    put(store, root, "a", b"x" * 3 * CHUNK)
    os.utime(Path(root, "a"), ns=(5, 5))
    taken: list[bytes] = []

    def take(data: bytes) -> None:
        taken.append(data)
        change(Path(root, "a"))

    with pytest.raises(PreconditionFailed, match="written to while it was read"):
        store.get(root, "a", take)
    assert taken == [b"x" * CHUNK]


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(
    store: FolderStore, root: str
) -> None:
    put(store, root, "a", b"x" * 2 * CHUNK)
    taken: list[bytes] = []

    def take(data: bytes) -> None:
        taken.append(data)
        put(store, root, "a", b"newer")

    store.get(root, "a", take)
    assert b"".join(taken) == b"x" * 2 * CHUNK
    assert read(store, root, "a") == b"newer"


def test_a_read_that_comes_short_is_no_whole_one(
    store: FolderStore, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, root, "a", b"four")
    monkeypatch.setattr("lakebed.store.folder.opened.os.pread", lambda fd, size, start: b"f")
    with pytest.raises(BodyTruncated):
        read(store, root, "a")


def test_what_is_no_file_is_no_object(store: FolderStore, root: str) -> None:
    os.mkfifo(f"{root}/fifo")
    Path(root, "folder").mkdir()
    for key in ("fifo", "folder", "folder/", "../root/a", "fifo/x", "nul\0", "x" * 300, "\udcff"):
        with pytest.raises(ObjectMissing):
            store.head(root, key)
        store.delete(root, key)
    assert everything(root) == ["folder"]


def test_reading_ends_when_all_is_to_stop(root: str) -> None:
    cancellation = Cancellation()
    store = FolderStore(cancellation, "here")
    put(store, root, "a", b"x" * 2 * CHUNK)
    with pytest.raises(Interrupted):
        store.get(root, "a", lambda data: cancellation.stop(Interrupted("stopped")))
    with pytest.raises(Interrupted):
        put(store, root, "b")


@pytest.mark.parametrize(("seconds", "year"), [(-(10**9), 1938), (10**12, 9999)])
def test_a_time_that_no_calendar_has_is_a_time(root: str, seconds: int, year: int) -> None:
    found = os.stat_result((*os.stat(root)[:8], seconds, 0))
    assert modified(found).year == year


# --- writing -------------------------------------------------------------------------------------


def test_a_key_makes_its_folders_and_takes_them_along(store: FolderStore, root: str) -> None:
    put(store, root, "a/b/c/d")
    put(store, root, "a/e")
    store.delete(root, "a/b/c/d")
    assert everything(root) == ["a", "a/e"]
    store.delete(root, "a/e")
    assert everything(root) == []


def test_the_folder_itself_stays_however_it_is_written(store: FolderStore, root: str) -> None:
    put(store, f"{root}/", "a/b")
    store.delete(f"{root}/", "a/b")
    with pytest.raises(Cursed):
        store.put(f"{root}//", "b", Broken(Cursed()))
    assert everything(str(Path(root).parent)) == ["root"]


@pytest.mark.parametrize("key", ["new", "a/b/new", "held/there"])
def test_a_body_that_fails_leaves_everything_as_it_was(
    store: FolderStore, root: str, key: str
) -> None:
    put(store, root, "held/there", b"earlier")
    with pytest.raises(Cursed):
        store.put(root, key, Broken(Cursed()))
    for size in (3, 5):
        with pytest.raises(BodyTruncated):
            store.put(root, key, Lying(size))
    with pytest.raises(ChecksumRefused):
        store.put(root, key, Buffer((b"these",)), sha256=hashlib.sha256(b"others").hexdigest())
    assert everything(root) == ["held", "held/there"]
    assert read(store, root, "held/there") == b"earlier"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EFBIG, ObjectTooLarge),
        (errno.EROFS, AccessDenied),
        (errno.EILSEQ, KeyUnsupported),
        (errno.EIO, StoreFault),
    ],
    ids=errno.errorcode.get,
)
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_that_refuses_is_an_error_and_leaves_nothing_behind(
    store: FolderStore,
    root: str,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    expected: type[LakebedError],
    call: str,
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, "injected")

    with monkeypatch.context() as broken:
        broken.setattr(f"lakebed.store.folder.draft.os.{call}", refuse)
        with pytest.raises(expected, match="a/b"):
            put(store, root, "a/b")
    assert everything(root) == []


@pytest.mark.parametrize(
    ("there", "key"), [("a", "a/b"), ("a", "a/b/c"), ("a/b", "a"), ("a", "x" * 256)]
)
def test_a_name_that_is_a_file_and_a_folder_is_refused(
    store: FolderStore, root: str, there: str, key: str
) -> None:
    put(store, root, there)
    before = everything(root)
    with pytest.raises(KeyUnsupported):
        put(store, root, key)
    assert everything(root) == before


@pytest.mark.parametrize(
    "key", ["", "/a", "a//b", "../a", "a/./b", "a/", "n\0", "\udcff", ".lakebed~x"]
)
def test_a_key_that_is_no_path_below_is_refused(store: FolderStore, root: str, key: str) -> None:
    with pytest.raises(KeyUnsupported):
        put(store, root, key)
    assert everything(str(Path(root).parent)) == ["root"]


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EISDIR, errno.EACCES])
def test_where_a_file_cannot_be_without_a_name_it_has_a_hidden_one(
    root: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    system, told = os.open, number

    def refuse(path: bytes, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(told, "injected")
        return system(path, flags, mode)

    monkeypatch.setattr(draft, "_NAMELESS", os.O_TMPFILE)
    monkeypatch.setattr("lakebed.store.folder.draft.os.open", refuse)
    store = FolderStore(Cancellation(), "here")
    if number == errno.EACCES:
        with pytest.raises(AccessDenied, match="see the permissions"):
            put(store, root, "a")
    else:
        put(store, root, "a")
    assert everything(root) == ([] if number == errno.EACCES else ["a"])


def test_a_folder_that_goes_away_while_a_file_is_written_ends_the_operation(
    store: FolderStore, root: str
) -> None:
    @dataclass(frozen=True)
    class Removing:
        size: int = 4

        def chunks(self) -> Iterator[bytes]:
            shutil.rmtree(root)
            yield b"four"

    with pytest.raises(BucketMissing, match="no longer there"):
        store.put(root, "a", Removing())


def test_what_is_to_be_absent_is_not_replaced(store: FolderStore, root: str) -> None:
    store.put(root, "a", Buffer((b"one",)), write=Write.IF_ABSENT)
    with pytest.raises(PreconditionFailed):
        store.put(root, "a", Buffer((b"two",)), write=Write.IF_ABSENT)
    assert read(store, root, "a") == b"one"
    assert everything(root) == ["a"]


def test_a_link_is_followed_as_a_folder_and_replaced_as_a_file(
    store: FolderStore, root: str, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_text("kept")
    Path(root, "folder").symlink_to(tmp_path / "other")
    Path(root, "file").symlink_to(tmp_path / "other/file")
    put(store, root, "folder/a")
    put(store, root, "file", b"new")
    assert (tmp_path / "other/a").read_bytes() == b"data"
    assert (tmp_path / "other/file").read_text() == "kept"
    store.delete(root, "folder/a")
    assert Path(root, "folder").is_symlink()


def test_a_folder_that_is_gone_is_not_made_anew_by_a_file(store: FolderStore, root: str) -> None:
    gone = f"{root}/gone"
    for action in (
        lambda: put(store, gone, "a"),
        lambda: store.delete(gone, "a"),
        lambda: store.create_upload(gone, "a"),
        lambda: store.is_versioned(gone),
    ):
        with pytest.raises(BucketMissing):
            action()
    assert everything(root) == []


def test_a_folder_is_made_with_those_above_it_but_not_over_a_file(
    store: FolderStore, root: str
) -> None:
    store.create_bucket(f"{root}/a/b")
    put(store, root, "file")
    for name in ("file", "file/below"):
        with pytest.raises(RequestRefused, match="there is a file"):
            store.create_bucket(f"{root}/{name}")


# --- copies and parts ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [None, errno.EXDEV, errno.EIO], ids=["able", "unable", "broken"])
def test_a_copy_has_the_bytes_whether_the_system_copies_or_not(
    store: FolderStore, root: str, monkeypatch: pytest.MonkeyPatch, number: int | None
) -> None:
    data = os.urandom(2 * 1024**2 + 1)
    etag = put(store, root, "a", data).etag
    if number is not None:

        def refuse(*_: object, **__: object) -> int:
            raise OSError(number, "injected")

        monkeypatch.setattr("lakebed.store.folder.draft.os.copy_file_range", refuse)
    if number == errno.EIO:
        with pytest.raises(StoreFault):
            store.copy(root, "a", root, "b/c", if_match=etag)
        assert everything(root) == ["a"]
    else:
        written = store.copy(root, "a", root, "b/c", if_match=etag)
        assert read(store, root, "b/c") == data
        assert store.head(root, "b/c").etag == written.etag


def test_a_source_that_changes_while_it_is_copied_is_not_copied(
    store: FolderStore, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = put(store, root, "a", b"before").etag

    def cut(*_: object, **__: object) -> int:
        os.truncate(f"{root}/a", 0)
        return 0

    monkeypatch.setattr("lakebed.store.folder.draft.os.copy_file_range", cut)
    with pytest.raises(BodyTruncated):
        store.copy(root, "a", root, "b", if_match=etag)
    assert everything(root) == ["a"]


@pytest.mark.parametrize("data", [(b"only",), (b"one", b"two")])
def test_an_upload_leaves_nothing_but_its_object(
    store: FolderStore, root: str, data: tuple[bytes, ...]
) -> None:
    upload = store.create_upload(root, "a/b")
    parts = [
        store.upload_part(root, "a/b", upload, number, Buffer((one,)))
        for number, one in enumerate(data, 1)
    ]
    assert keys(store.list_page(root)) == []
    store.complete_upload(root, "a/b", upload, parts)
    assert everything(root) == ["a", "a/b"]
    assert read(store, root, "a/b") == b"".join(data)
    with pytest.raises(ObjectMissing):
        store.complete_upload(root, "a/b", upload, parts)


def test_a_part_that_must_go_to_another_disk_is_copied(
    store: FolderStore, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = store.create_upload(root, "a")
    part = store.upload_part(root, "a", upload, 1, Buffer((b"part",)))
    replace = os.replace

    def refuse(source: bytes, target: bytes) -> None:
        if b"00001" in source:
            raise OSError(errno.EXDEV, "injected")
        replace(source, target)

    monkeypatch.setattr("lakebed.store.folder.uploads.os.replace", refuse)
    written = store.complete_upload(root, "a", upload, [part])
    assert store.head(root, "a").etag == written.etag
    assert everything(root) == ["a"]


def test_what_is_not_as_it_came_is_not_joined(store: FolderStore, root: str) -> None:
    upload = store.create_upload(root, "a")
    one = store.upload_part(root, "a", upload, 1, Buffer((b"one",)))
    two = store.upload_part(root, "a", upload, 2, Buffer((b"two",)))
    for wrong in ([], [two, one], [one, Part(3, one.etag, 3)], [one, Part(2, one.etag, 3)]):
        with pytest.raises(RequestRefused):
            store.complete_upload(root, "a", upload, wrong)
    for key, number in (("b", upload), ("a", "../a"), ("a", "0")):
        with pytest.raises(ObjectMissing):
            store.complete_upload(root, key, number, [one])
        store.abort_upload(root, key, number)
    store.abort_upload(root, "a", upload)
    assert everything(root) == []


def test_a_span_that_a_source_has_not_is_no_part(store: FolderStore, root: str) -> None:
    etag = put(store, root, "a", b"four").etag
    upload = store.create_upload(root, "b")
    with pytest.raises(RequestRefused, match="bytes 1 to 5 are not in its 4"):
        store.copy_part(root, "a", root, "b", upload, 1, span=Span(1, 5), if_match=etag)
    store.abort_upload(root, "b", upload)
    assert everything(root) == ["a"]


# --- the store as the engine meets it ------------------------------------------------------------


def test_a_probe_finds_what_a_folder_can_and_leaves_nothing(store: FolderStore, root: str) -> None:
    found = Probe(store, root, "").run()
    assert found.names == {
        Capability.WRITE,
        Capability.SHA256,
        Capability.IF_NONE_MATCH,
        Capability.MULTIPART,
        Capability.COPY,
        Capability.PART_COPY,
        Capability.ORDERED,
        Capability.BACKSLASH_KEYS,
    }
    assert everything(root) == []


def test_what_a_sync_would_make_holds_nothing_in_a_plan(store: FolderStore, root: str) -> None:
    absent = f"{root}/new/one"
    planned = to_be_made(store, absent, make=False)
    assert planned.list_page(absent).objects == ()
    with pytest.raises(ObjectMissing):
        planned.head(absent, "a")
    assert everything(root) == []
    put(to_be_made(store, absent, make=True), absent, "a")
    assert planned.head(absent, "a").size == 4
    assert keys(planned.list_page(absent)) == ["a"]


def test_folders_need_no_configuration_and_are_no_other_store() -> None:
    settings = Settings().store("file")
    opened = open_store(settings, Cancellation())
    assert (opened.name, settings.digests) == ("file", "sidecar")
    assert opened.properties.identity == identity_of(settings)
    assert identity_of(settings) != identity_of(StoreSettings(anonymous=True))
    opened.close()


def test_a_draft_outlives_the_folder_that_another_one_tidied_up(
    store: FolderStore, root: str
) -> None:
    names = [os.fsencode(f"{root}/d/{name}") for name in "ab"]
    with draft.Draft(os.fsencode(root), names[0], "a") as kept:
        with draft.Draft(os.fsencode(root), names[1], "b"):
            pass
        kept.write(b"bytes")
        kept.keep()
    assert everything(root) == ["d", "d/a"]
