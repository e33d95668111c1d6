"""The folder of an embedded store."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.local.folder import Folder


@contextmanager
def claimed(path: Path) -> Iterator[Folder]:
    folder = Folder.claim(path)
    try:
        yield folder
    finally:
        folder.release()


def test_the_identity_is_made_once_for_each_folder(tmp_path: Path) -> None:
    with claimed(tmp_path / "one") as one, claimed(tmp_path / "two") as two:
        identity = one.identity()
        assert identity == one.identity()
        assert not set(identity) & set(two.identity())
    with claimed(tmp_path / "one") as again:
        assert again.identity() == identity


def test_the_identity_is_long_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with claimed(tmp_path / "store") as folder:
        access_key, secret_key = folder.identity()
        assert len(access_key) == 20
        assert len(secret_key) >= 40
        for path in (folder.access_key_file, folder.secret_key_file):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert folder.secret_key_file.read_text().strip() == secret_key


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with claimed(tmp_path / "store") as folder:
        folder.identity()
        folder.secret_key_file.chmod(0o644)
        with pytest.raises(ConfigurationError, match="chmod 600"):
            folder.identity()


def test_half_a_secret_of_a_crash_is_not_used(tmp_path: Path) -> None:
    with claimed(tmp_path / "store") as folder:
        (folder.path / "secret-key.new").write_text("hal")
        assert len(folder.identity()[1]) >= 40


def test_a_served_folder_is_refused_with_the_process_that_serves_it(tmp_path: Path) -> None:
    with (
        claimed(tmp_path / "store"),
        pytest.raises(ConfigurationError, match=rf"already served .*\({os.getpid()}\)"),
    ):
        Folder.claim(tmp_path / "store")


def test_a_released_folder_can_be_claimed_again(tmp_path: Path) -> None:
    for _ in range(2):
        with claimed(tmp_path / "store") as folder:
            assert folder.path == tmp_path / "store"


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ConfigurationError, match="something else"):
        Folder.claim(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Folder.claim(tmp_path / "file")


def test_the_engine_of_the_data_is_remembered(tmp_path: Path) -> None:
    with claimed(tmp_path / "store") as folder:
        engines = [folder.engine]
        for _ in range(2):
            folder.adopt("minio")
            engines.append(folder.engine)
        assert engines == [None, "minio", "minio"]
        with pytest.raises(ConfigurationError, match="made by minio, which seaweedfs cannot read"):
            folder.adopt("seaweedfs")
