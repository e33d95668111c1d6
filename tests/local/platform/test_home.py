"""The folder of a platform: one supervisor, kept ports, private secrets."""

import os
import socket
import stat
from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.local.address import free_ports
from lakebed.local.platform.home import Home, Standing
from lakebed.local.platform.ports import holder_of


def test_one_supervisor_at_a_time_runs_in_a_folder(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    assert home.supervisor() is None
    with home.claimed():
        assert home.supervisor() == os.getpid()
        with (
            pytest.raises(ConfigurationError, match=f"runs already .process {os.getpid()}"),
            home.claimed(),
        ):
            raise AssertionError
    assert home.supervisor() is None
    with home.claimed():
        assert home.supervisor() == os.getpid()


def test_a_port_is_the_preferred_one_where_it_is_free_and_stays(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    (free,) = free_ports(1)
    assert home.ports({"store": free}) == {"store": free}
    assert home.ports({"store": free + 1, "executor": free}) == {"store": free, "executor": free}


def test_where_the_preferred_port_is_taken_another_one_is_kept(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        found = home.ports({"store": taken})["store"]
    assert found != taken
    assert home.ports({"store": taken})["store"] == found


def test_who_holds_a_port_that_was_kept_is_named(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (tmp_path / "ports.json").write_text(f'{{"store": {port}}}')
        with pytest.raises(ConfigurationError, match=f"port {port} of store is taken by .*process"):
            home.ports({"store": 9000})
        assert f"(process {os.getpid()})" in (holder_of(port) or "")
    assert holder_of(port) is None


def test_a_secret_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    secret = home.secret("password")
    assert len(secret) >= 40
    assert home.secret("password") == secret
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600


def test_how_things_stand_is_read_as_it_was_told(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    assert home.told() == []
    told = [Standing("store", "ready", "1", "http://127.0.0.1:1", 12, 1.5, 2, "well")]
    home.tell(told)
    assert home.told() == told


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="the folder cannot be used: Not a directory"):
        Home.at(tmp_path / "file" / "home")


def test_stopping_where_nothing_runs_stops_nothing(tmp_path: Path) -> None:
    Home.at(tmp_path).stop()
