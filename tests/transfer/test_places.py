from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakebed import errors
from lakebed.errors import UsageError
from lakebed.model.location import Location
from lakebed.store.capabilities import EVERYTHING
from lakebed.store.contract import Buffer
from lakebed.store.memory import MemoryStore
from lakebed.store.wrappers.forwarding import Forwarding
from lakebed.transfer.places import check_apart, check_locations, overlap
from lakebed.transfer.sides import Side
from tests.faults import Faulty, Refuse

SAME = [("b/x/", "b/x/"), ("b/x/", "b/x/y/"), ("b/x/y/", "b/x/"), ("b/x", "b/"), ("b/x/k", "b/x/k")]
APART = [("b/x/", "b/y/"), ("b/x/", "c/x/"), ("b/x", "b/y/"), ("b/x/k", "b/x/other")]


def place(name: str, where: str) -> Location:
    return Location.parse(f"{name}:{where}")


@pytest.mark.parametrize(("source", "destination"), SAME)
def test_one_inside_the_other_is_refused(source: str, destination: str) -> None:
    ends = place("a", source), place("b", destination)
    assert overlap(*ends)
    with pytest.raises(UsageError, match="the same place"):
        check_locations(*ends, same_endpoint=True)
    check_locations(*ends, same_endpoint=False)


@pytest.mark.parametrize(("source", "destination"), APART)
def test_side_by_side_is_fine(source: str, destination: str) -> None:
    ends = place("a", source), place("b", destination)
    assert not overlap(*ends)
    check_locations(*ends, same_endpoint=True)


@pytest.mark.parametrize(
    ("source", "destination", "one"),
    [
        ("a/", "a/", True),
        ("a/", "a/b/c/", True),
        ("a/b/", "a/", True),
        ("link/", "a/", True),
        ("a/b/", "link/", True),
        ("a/k", "link/", True),
        ("a/k", "link/k", True),
        ("a/", "ab/", False),
        ("a/b/", "a/c/", False),
        ("a/k", "a/b/", False),
        ("a/", "b/", False),
    ],
)
def test_folders_are_told_apart_by_where_they_really_are(
    tmp_path: Path, source: str, destination: str, one: bool
) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    ends = [Location.parse(f"{tmp_path}/{where}") for where in (source, destination)]
    assert overlap(*ends) is one


def test_a_folder_does_not_fit_into_one_key() -> None:
    with pytest.raises(UsageError, match="one key"):
        check_locations(place("a", "b/x/"), place("b", "c/x"), same_endpoint=False)


class Named(Forwarding):
    """The same store under another name."""

    def __init__(self, inner: MemoryStore, name: str) -> None:
        super().__init__(inner)
        self._name = name

    @property
    def name(self) -> str:
        return self._name


def side(store: Forwarding, where: str) -> Side:
    return Side(store, place(store.name, where), EVERYTHING)


def test_one_store_under_two_names_is_found_out() -> None:
    store = MemoryStore(buckets=["b"])
    ends = [side(Named(store, name), where) for name, where in (("one", "b/x/"), ("two", "b/x/y"))]
    with pytest.raises(UsageError, match="the same place"):
        check_apart(*ends)
    assert store.list_page("b").objects == ()


def test_two_stores_with_equal_names_of_buckets_are_apart() -> None:
    stores = [MemoryStore(buckets=["b"]), MemoryStore(buckets=["b"])]
    ends = [side(Named(store, "s"), "b/") for store in stores]
    check_apart(*ends)
    assert all(store.list_page("b").objects == () for store in stores)


def test_what_a_killed_run_left_is_taken_away_an_hour_later() -> None:
    clock = [datetime(2026, 5, 8, tzinfo=UTC)]
    memory = MemoryStore(buckets=["b"], now=lambda: clock[0])
    killed, running = (f"x/.lakebed-canary-{digit * 16}" for digit in "01")
    own = "x/.lakebed-canary-notes"
    for key in (killed, own):
        memory.put("b", key, Buffer((b"",)))
    clock[0] += timedelta(hours=1)
    memory.put("b", running, Buffer((b"",)))
    clock[0] += timedelta(minutes=1)

    check_apart(
        side(Named(MemoryStore(buckets=["b"]), "s"), "b/"), side(Named(memory, "d"), "b/x/")
    )

    assert [found.key for found in memory.list_page("b").objects] == [running, own]


def test_paths_side_by_side_are_not_tried() -> None:
    store = Faulty(MemoryStore(buckets=["b"]))
    check_apart(side(store, "b/x/"), side(store, "b/y/"))
    assert store.calls == []


def test_a_destination_that_takes_nothing_is_left_to_the_operation() -> None:
    store = Faulty(MemoryStore(buckets=["b"]))
    store.inject(Refuse(errors.AccessDenied("no")), "put")
    check_apart(side(store, "b/"), side(store, "b/"))
