"""What a process that lost its lease, and does not know it yet, still does to its stores."""

from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import text

from lakebed.database.transaction import writing
from lakebed.errors import LeaseLost
from lakebed.model.operation import Options
from lakebed.operations import lease
from lakebed.operations.run import Platform
from tests.operations.platform import World, request

DELETING, MOVING = (Options(concurrency=1, delete=True), Options(concurrency=1, delete_source=True))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def take_over(platform: Platform) -> None:
    """As another replica does."""
    with writing(platform.ledger.engine) as connection:
        connection.execute(text("UPDATE operations SET fence = fence + 1"))


@pytest.mark.parametrize("moment", ["head", "delete"])
def test_an_extra_is_not_deleted_by_who_lost_the_lease(world: World, moment: str) -> None:
    world.put("a", b"a")
    world.put("in/extra", b"extra", "dst")
    with world.platform() as platform:
        world.on(moment, "dst:b/in/extra", lambda: take_over(platform))
        with pytest.raises(LeaseLost):
            platform.sync(request(options=DELETING))
    assert world.keys() == ["in/a", "in/extra"]


@pytest.mark.parametrize("moment", ["head", "delete"])
def test_a_source_is_not_deleted_by_who_lost_the_lease(world: World, moment: str) -> None:
    world.put("moved", b"moved")
    with world.platform() as platform:
        world.on(moment, "src:b/moved", lambda: take_over(platform))
        with pytest.raises(LeaseLost):
            platform.sync(request(options=MOVING))
    assert world.keys("src") == ["moved"]


def test_a_process_that_was_stopped_past_its_lease_sends_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put("a", b"a")
    with world.platform() as platform:

        def sleep() -> None:
            monkeypatch.setattr(lease, "monotonic", lambda: monotonic() + lease.DURATION + 1)
            take_over(platform)

        world.on("put", "dst:b/in/a", sleep)
        with pytest.raises(LeaseLost):
            platform.sync(request())
    assert not world.keys()
