"""What is in quarantine, and what happens once it is let go."""

from pathlib import Path

import pytest

from lakebed.model.location import Location
from lakebed.model.operation import OperationState, Summary
from lakebed.operations import quarantine
from lakebed.operations.run import Platform
from tests.operations.platform import World, request

KEYS = ["a.zip", "x/b.zip", "x/c.zip", "xy.zip", "币.zip"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def sync(platform: Platform) -> Summary:
    return platform.sync(request())


def keys(platform: Platform, which: Location | str | None = None) -> list[str]:
    return [entry.location.path for entry in platform.quarantined(which)]


def corrupt(world: World, *names: str) -> None:
    for name in names:
        world.put_pair(name, b"bytes", published=b"others")


def test_an_entry_says_where_since_when_and_why(world: World) -> None:
    corrupt(world, "a.zip")
    with world.platform() as platform:
        summary = sync(platform)
        (entry,) = platform.quarantined()
    assert entry.location == Location("src", "b", "a.zip")
    assert entry.operation_id == summary.operation_id
    assert (entry.expected, entry.found) != (None, None)
    assert entry.expected != entry.found
    assert f"{entry.expected}" in entry.refused
    assert (entry.archive_size, entry.source_etag) == (5, "4b3a6218bb3e3a7303e8a171a60fcf92")
    assert entry.digest_etag


def test_a_sidecar_that_publishes_nothing_names_no_digest(world: World) -> None:
    world.put("a.zip", b"bytes")
    world.put("a.zip.CHECKSUM", b"nothing")
    with world.platform() as platform:
        sync(platform)
        (entry,) = platform.quarantined()
    assert (entry.expected, entry.found) == (None, None)
    assert "does not hold" in entry.refused


@pytest.mark.parametrize(
    ("which", "chosen"),
    [
        (None, KEYS),
        (Location("src", "b"), KEYS),
        (Location("src", "b", "x/"), ["x/b.zip", "x/c.zip"]),
        (Location("src", "b", "x/b.zip"), ["x/b.zip"]),
        (Location("src", "b", "x/b.zip.CHECKSUM"), ["x/b.zip"]),
        (Location("src", "b", "x/b"), []),
        (Location("dst", "b"), []),
        (Location("src", "other"), []),
        ("x/b.zip", ["x/b.zip"]),
        ("币.zip.CHECKSUM", ["币.zip"]),
        ("b.zip", []),
    ],
    ids=str,
)
def test_pairs_are_chosen_by_location_or_key(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    which: Location | str | None,
    chosen: list[str],
) -> None:
    monkeypatch.setattr(quarantine, "PAGE", 2)
    corrupt(world, *KEYS)
    with world.platform() as platform:
        sync(platform)
        assert keys(platform, which) == chosen
        assert platform.release(which) == len(chosen)
        assert keys(platform) == [key for key in KEYS if key not in chosen]


def test_a_pair_that_is_only_held_back_keeps_its_first_entry(world: World) -> None:
    corrupt(world, "a.zip")
    with world.platform() as platform:
        first = sync(platform)
        before = list(platform.quarantined())
        again = sync(platform)
        assert again.quarantined == 2
        assert list(platform.quarantined()) == before
        assert before[0].operation_id == first.operation_id


def test_a_released_pair_is_tried_again_though_nothing_changed(world: World) -> None:
    corrupt(world, "a.zip")
    with world.platform() as platform:
        sync(platform)
        world.calls.clear()
        sync(platform)
        assert not any(verb == "get" and "a.zip" in subject for verb, subject in world.calls)
        platform.release("a.zip")
        assert sync(platform).state is OperationState.QUARANTINED
        assert any(verb == "get" and "a.zip" in subject for verb, subject in world.calls)
        assert keys(platform) == ["a.zip"]


def test_a_release_during_a_run_that_holds_it_back_lasts(world: World) -> None:
    corrupt(world, "a.zip")
    world.put("z.bin", b"later")
    with world.platform() as platform:
        sync(platform)
        world.put("z.bin", b"another")
        world.on("get", "z.bin", platform.release)
        assert sync(platform).quarantined == 2
        assert keys(platform) == []


@pytest.mark.parametrize("kind", ["sqlite", "pg"])
def test_both_databases_page_in_the_same_order(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import Engine, insert

    from lakebed.database.tables import quarantines
    from lakebed.database.transaction import writing

    engine: Engine = request.getfixturevalue(kind)
    monkeypatch.setattr(quarantine, "PAGE", 2)
    rows = [
        {"source": f"s:{bucket}", "key": key.encode(), "source_etag": "e", "digest_etag": "d"}
        | {"evidence": "{}", "operation": "ID", "at": 1.0}
        for bucket in ("a", "b")
        for key in KEYS
    ]
    with writing(engine) as connection:
        connection.execute(insert(quarantines), rows)
    found = [(one.location.bucket, one.location.path) for one in quarantine.listed(engine)]
    assert found == [(bucket, key) for bucket in ("a", "b") for key in KEYS]
    assert quarantine.release(engine, Location("s", "a", "x/")) == 2
    assert quarantine.release(engine) == 8
