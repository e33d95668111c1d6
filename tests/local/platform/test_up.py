"""The real platform: `lakebed up`, `status`, `logs`, `down`."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.local import engines
from lakebed.local.address import free_ports
from lakebed.local.platform.components.postgresql import programs
from lakebed.local.platform.home import Home
from tests.database.postgresql import why_not
from tests.e2e.process import Ended, Lakebed


def _why_not() -> str | None:
    try:
        engines.choose(None)
    except ConfigurationError as absent:
        return str(absent)
    return why_not() if programs() else "no PostgreSQL here"


pytestmark = pytest.mark.skipif(_why_not() is not None, reason=_why_not() or "")


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that PostgreSQL's account can enter too, with ports that no other test prefers."""
    folder = tmp_path_factory.mktemp("platform")
    ports = zip(("store", "postgresql", "executor"), free_ports(3), strict=True)
    Home.at(folder / "home").keep("ports.json", json.dumps(dict(ports)))
    for path in (folder, *folder.parents):
        if path.owner() != "root" or not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o011)
    yield folder / "home"
    Lakebed(folder)("down", "--home", str(folder / "home"))


def components(ended: Ended) -> dict[str, dict[str, object]]:
    assert ended.code == 0, ended.err
    return {str(one["component"]): one for one in ended.events}


def is_gone(pid: object) -> bool:
    try:
        os.kill(int(str(pid)), 0)
    except ProcessLookupError:
        return True
    return False


def test_the_platform_comes_up_is_used_and_goes_down(home: Path) -> None:
    lakebed = Lakebed(home.parent)
    first = components(lakebed("up", "--home", str(home), "--json"))
    assert list(first) == ["store", "postgresql", "executor"]
    assert {one["state"] for one in first.values()} == {"ready"}
    again = components(lakebed("up", "--home", str(home), "--json"))
    assert [one["pid"] for one in again.values()] == [one["pid"] for one in first.values()]

    generated = lakebed(
        *("archive", "generate", "lake:artifacts/in/", "--pairs", "5"),
        *("--config", str(home / "lakebed.toml")),
    )
    assert generated.code == 0, generated.err
    shown = lakebed("status", "--home", str(home))
    assert shown.out.splitlines()[0].split() == [
        *("component", "state", "version", "uptime", "memory", "address")
    ]
    assert "ready to accept connections" in lakebed("logs", "postgresql", "--home", str(home)).out

    assert lakebed("down", "--home", str(home)).code == 0
    assert all(is_gone(one["pid"]) for one in first.values())
    assert lakebed("status", "--home", str(home)).code == 2
    later = components(lakebed("up", "--home", str(home), "--json"))
    assert [one["url"] for one in later.values()] == [one["url"] for one in first.values()]
    listed = lakebed("ls", "lake:artifacts/in/", "--json", "--config", str(home / "lakebed.toml"))
    assert len(listed.events) == 10


def test_what_is_killed_is_started_again(home: Path) -> None:
    lakebed = Lakebed(home.parent)
    arguments = ("--home", str(home), "--profile", "small", "--json")
    first = components(lakebed("up", *arguments))
    os.kill(int(str(first["executor"]["pid"])), signal.SIGKILL)
    while True:
        found = components(lakebed("status", "--home", str(home), "--json"))["executor"]
        if found["restarts"] == 1 and found["state"] == "ready":
            break
    assert found["pid"] != first["executor"]["pid"]
    assert found["url"] == first["executor"]["url"]


def test_nothing_is_left_of_a_platform_whose_supervisor_is_killed(home: Path) -> None:
    lakebed = Lakebed(home.parent)
    with lakebed.started("up", "--foreground", "--home", str(home), "--json") as running:
        line = running.first()
        found = [line, running.first(), running.first()]
        running.signal(signal.SIGKILL)
        running.end()
    for one in found:
        while not is_gone(one["pid"]):
            assert True
    assert lakebed("status", "--home", str(home)).code == 2
