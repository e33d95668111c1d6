"""The file that scripts of this machine find a token in."""

import stat
from pathlib import Path

import pytest

from lakebed.access.token_file import token_file
from lakebed.errors import ConfigurationError


def test_only_its_user_can_read_it_and_only_while_it_is_needed(tmp_path: Path) -> None:
    with token_file(tmp_path / "state", 8080, "secret") as path:
        assert path.read_text() == "secret\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_what_a_killed_replica_left_is_replaced_not_written_into(tmp_path: Path) -> None:
    old = tmp_path / "executor-8080.token"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    old.symlink_to(elsewhere)
    with token_file(tmp_path, 8080, "secret") as path:
        assert path.read_text() == "secret\n"
        path.unlink()
    assert elsewhere.read_text() == "mine"


def test_where_it_cannot_be_written_nothing_begins(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        token_file(tmp_path / "state", 8080, "secret").__enter__()
