"""Which configuration file is read."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.settings import load
from lakebed.settings.file import found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "here"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    return folder


def _write(folder: Path, region: str) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / "lakebed.toml"
    path.write_text(f'[stores.lake]\nregion = "{region}"\n')
    path.chmod(0o644)
    return path


def test_the_working_directory_comes_before_the_users_folder(here: Path, tmp_path: Path) -> None:
    at_home = _write(tmp_path / "config" / "lakebed", "home")
    assert found(None, {}, here) == (at_home,)
    assert found(None, {}, here) != (_write(here, "here"),)
    assert load(None, {}, here).store("lake").region == "here"


def test_the_option_comes_before_the_variable_and_both_before_any_folder(
    here: Path, tmp_path: Path
) -> None:
    _write(here, "here")
    environ = {"LAKEBED_CONFIG": str(_write(tmp_path / "variable", "variable"))}
    option = _write(tmp_path / "option", "option")
    assert load(option, environ, here).store("lake").region == "option"
    assert load(None, environ, here).store("lake").region == "variable"


def _open_the_folder(folder: Path) -> None:
    folder.chmod(0o777)


def _open_the_file(folder: Path) -> None:
    (folder / "lakebed.toml").chmod(0o666)


@pytest.mark.parametrize("open_up", [_open_the_folder, _open_the_file])
def test_a_file_that_others_can_write_is_skipped_with_a_warning(
    here: Path, open_up: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    _write(here, "here")
    open_up(here)
    with caplog.at_level(logging.WARNING, "lakebed"):
        assert found(None, {}, here) == ()
    assert "lakebed.toml is not read: others can write here" in caplog.text


def test_a_folder_of_our_own_group_is_ours(here: Path) -> None:
    path = _write(here, "here")
    os.chown(here, -1, os.getegid())
    here.chmod(0o775)
    assert found(None, {}, here) == (path,)


def test_a_folder_of_another_user_is_not_ours(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(here, "here")
    owner = here.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    monkeypatch.setattr("lakebed.settings.file.ROOT", owner + 2)
    assert found(None, {}, here) == ()


def test_without_any_file_the_defaults_stand(here: Path) -> None:
    settings = load(None, {}, here)
    assert sorted(settings.stores) == ["aws", "binance"]


def test_a_missing_file_is_refused_by_name(here: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml: cannot read .*No such file"):
        load(here / "absent.toml", {}, here)
