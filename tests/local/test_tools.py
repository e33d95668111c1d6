"""Programs that are built where Go is present."""

import subprocess
from pathlib import Path

import pytest

from lakebed.errors import Exit
from lakebed.local import tools
from lakebed.local.engines import minio

BUILDS = '#!/bin/sh\necho "$@" > "$GOBIN/minio"\n'
FAILS = "#!/bin/sh\necho no such module >&2\nexit 1\n"


@pytest.fixture
def toolchain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a `go` may be put; the PATH holds nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache"))
    return folder / "go"


def install(go: Path, script: str) -> None:
    go.write_text(script)
    go.chmod(0o755)


def test_the_pinned_version_is_built_into_the_cache_and_nothing_else_stays(
    toolchain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(toolchain, BUILDS)
    assert tools.main(["minio"]) == Exit.COMPLETED
    built = minio.cached_binary()
    assert built.read_text().split() == ["install", f"github.com/minio/minio@{minio.VERSION}"]
    assert [path.name for path in built.parent.iterdir()] == ["minio"]
    assert "is built" in capsys.readouterr().out


def test_one_that_is_there_is_not_built_again(
    toolchain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = minio.cached_binary()
    built.parent.mkdir(parents=True)
    built.write_text("mine")
    assert tools.main(["minio"]) == Exit.COMPLETED
    assert built.read_text() == "mine"
    assert "is there" in capsys.readouterr().out


def test_without_go_one_line_says_why_it_is_skipped(
    toolchain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tools.main(["minio"]) == Exit.COMPLETED
    out = capsys.readouterr().out
    assert "skipped, there is no Go" in out
    assert out.count("\n") == 1


def test_a_build_that_fails_leaves_nothing_and_shows_why(
    toolchain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(toolchain, FAILS)
    assert tools.main(["minio"]) == Exit.DEFECT
    assert "no such module" in capsys.readouterr().err
    assert list(minio.cached_binary().parent.iterdir()) == []


def test_a_failed_build_is_an_error_of_the_toolchain(toolchain: Path) -> None:
    install(toolchain, FAILS)
    with pytest.raises(subprocess.CalledProcessError):
        tools.build_minio(minio.cached_binary())


@pytest.mark.parametrize("arguments", [[], ["ceph"], ["minio", "again"]])
def test_only_minio_can_be_built(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert tools.main(arguments) == Exit.USAGE
    assert "usage:" in capsys.readouterr().err
