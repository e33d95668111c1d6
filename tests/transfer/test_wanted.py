"""Keys that a list names are found at both ends without listing the rest, whatever their order."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakebed.errors import DiskFull, RequestRefused, UsageError
from lakebed.model.location import Location
from lakebed.model.objects import Head
from lakebed.model.operation import Filters, Options
from lakebed.model.pair import archive_of, is_sidecar
from lakebed.store.capabilities import EVERYTHING, Capability
from lakebed.store.contract import PAGE_LIMIT, Buffer, Page
from lakebed.store.memory import MemoryStore
from lakebed.store.wrappers.forwarding import Forwarding
from lakebed.transfer import lookups
from lakebed.transfer import wanted as module
from lakebed.transfer.lookups import looked_up
from lakebed.transfer.sides import Side
from lakebed.transfer.wanted import key_file, keys_of, wanted
from tests.faults import Faulty
from tests.transfer.engine import Engine, able

PIECES = st.sampled_from(["X", "a", "/", "-", ".", ".CHECKSUM", "0", "币", "\U0001f600"])
KEYS = st.lists(PIECES, min_size=1, max_size=5).map("".join)


class SmallPages(Forwarding):
    """Two keys a page."""

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


def side_of(keys: frozenset[str], *missing: Capability) -> Side:
    store = MemoryStore("lake", buckets=["bucket"])
    for key in keys:
        store.put("bucket", f"d/{key}", Buffer((b"1",)))
    return Side(SmallPages(store), Location("lake", "bucket", "d/"), able(*missing))


def found(side: Side, filters: Filters, after: str = "") -> list[str]:
    with wanted(filters, side.sidecars) as keys:
        assert keys is not None
        pages = looked_up(side, keys, after)
        return [side.location.relative(held.key) for page in pages for held in page]


# --- lookups -------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    st.frozensets(KEYS, max_size=12),
    st.lists(KEYS, max_size=12),
    st.sampled_from([(), (Capability.ORDERED,)]),
    st.sampled_from([1, 2, 99]),
    st.data(),
)
def test_lookups_find_what_a_listing_would_select(
    held: frozenset[str],
    named: list[str],
    missing: tuple[Capability, ...],
    dense: int,
    data: st.DataObject,
) -> None:
    after = data.draw(st.sampled_from(["", *sorted(held)]))
    archives = {key for key in named if not is_sidecar(key)}
    expected = [
        key
        for key in sorted(held, key=str.encode)
        if key > after
        if (archive_of(key) if is_sidecar(key) else key) in archives
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookups, "DENSE", dense)
        patch.setattr(lookups, "_FEWEST", 3)
        assert found(side_of(held, *missing), Filters(keys=tuple(named)), after) == expected


def test_few_keys_in_a_large_folder_are_asked_for_one_by_one() -> None:
    side = side_of(frozenset(f"{number:04}" for number in range(500)))
    faulty = Faulty(side.store)
    sparse = Side(faulty, side.location, EVERYTHING)
    assert found(sparse, Filters(keys=("0007", "0400"))) == ["0007", "0400"]
    assert faulty.count("list_page") == 1
    assert faulty.count("head") == 4


def test_a_key_that_a_store_refuses_to_be_asked_for_is_looked_for_in_a_listing() -> None:
    class Refusing(Forwarding):
        def head(self, bucket: str, key: str) -> Head:
            raise RequestRefused("no")

    side = side_of(frozenset(["a", "c"]), Capability.ORDERED)
    refusing = Side(Refusing(side.store), side.location, side.capabilities)
    assert found(refusing, Filters(keys=("a", "b", "c"))) == ["a", "c"]


def test_a_run_over_a_file_of_keys_moves_these_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("b.zip\nabsent\na.txt\n")
    named = key_file(tmp_path / "keys")
    engine = Engine(options=Options(filters=Filters(keys_file=named)))
    for name in ("a.txt", "a.txt2", "c.zip"):
        engine.publish(name, name.encode())
    engine.publish_pair("b.zip", b"archive")
    assert engine.run() is None
    assert set(engine.at_destination()) == {"a.txt", "b.zip", "b.zip.CHECKSUM"}


# --- lists ---------------------------------------------------------------------------------------


def test_a_list_names_no_key_in_particular_where_there_is_none() -> None:
    with wanted(Filters(), sidecars=True) as keys:
        assert keys is None


def test_keys_end_with_their_line_or_with_a_nul() -> None:
    assert keys_of(b"a\r\n\n b \nc\0d", "list") == ("a", " b ", "c\0d")
    assert keys_of(b"a\r\n\0\0b", "list", nul=True) == ("a\r\n", "b")


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
)
def test_any_keys_are_read_back_from_between_nuls(keys: list[str]) -> None:
    assert keys_of("\0".join(keys).encode(), "list", nul=True) == tuple(keys)


def test_a_list_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 5)
    (tmp_path / "keys").write_text("one\ntwenty-two\n币币币\n")
    with wanted(Filters(keys_file=key_file(tmp_path / "keys")), sidecars=False) as keys:
        assert keys is not None
        assert keys.next("", 9) == ["one", "twenty-two", "币币币"]
        assert keys.next("one", 1) == ["twenty-two"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a\n\xff\n", "line 2: keys are UTF-8"),
        (b"a\n" + b"k" * 1025, "line 2: a key has at most 1024 bytes"),
        (b"k" * 600_000 + b"\n", "line 1: a key has at most 1024 bytes"),
    ],
    ids=["bytes", "long", "endless"],
)
def test_what_is_no_key_is_named_with_its_line(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(what)):
        key_file(tmp_path / "keys")


def test_a_list_that_changed_since_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("a\n")
    named = Filters(keys_file=key_file(path))
    path.write_text("b\n")
    with pytest.raises(UsageError, match="no longer what it was"), wanted(named, sidecars=True):
        pass
    path.unlink()
    with pytest.raises(UsageError, match="cannot be read"), wanted(named, sidecars=True):
        pass


def test_a_list_that_finds_no_room_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "_TABLE", "PRAGMA page_size = 512; PRAGMA max_page_count = 3;" + module._TABLE
    )
    (tmp_path / "keys").write_text("".join(f"{number:0500}\n" for number in range(99)))
    named = Filters(keys_file=key_file(tmp_path / "keys"))
    with pytest.raises(DiskFull, match="cannot be put in order"), wanted(named, sidecars=False):
        pass
