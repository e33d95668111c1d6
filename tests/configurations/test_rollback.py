"""Going back: the files of a version are there again, and nothing of before is lost."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from lakebed.configurations.history import History
from lakebed.configurations.rollback import roll_back
from lakebed.errors import ConfigurationError, UsageError
from lakebed.settings.layers import Sources

FIRST, SECOND = "# the first\nlog = 'info'\n", "log = 'error'\n"


@pytest.fixture
def history(sqlite: Engine) -> History:
    return History(sqlite)


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path / "lakebed.toml", {"LAKEBED_ENV": "staging"}, tmp_path)


def write(sources: Sources, base: str, upper: str | None = None) -> None:
    paths = sources.place()
    paths[0].write_text(base)
    paths[1].unlink(missing_ok=True)
    if upper is not None:
        paths[1].write_text(upper)


def texts(sources: Sources) -> dict[str, str]:
    return {path.name: path.read_text() for path in sources.place() if path.exists()}


def test_the_files_of_a_version_come_back_and_those_of_now_are_a_version(
    history: History, sources: Sources
) -> None:
    write(sources, FIRST)
    first = history.record(sources.read(), "me")
    write(sources, SECOND, "executor.running = 9\n")
    second = texts(sources)
    done = roll_back(history, sources, first, "me")
    assert texts(sources) == {"lakebed.toml": FIRST}
    assert (done.written, done.removed) == (sources.place()[:1], sources.place()[1:])
    assert done.recorded
    assert dict(history.version(done.recorded.number).files) == second
    roll_back(history, sources, done.recorded, "me")
    assert texts(sources) == second


def test_the_permissions_of_a_file_stay(history: History, sources: Sources) -> None:
    write(sources, FIRST)
    first = history.record(sources.read(), "me")
    write(sources, SECOND)
    sources.place()[0].chmod(0o640)
    roll_back(history, sources, first, "me")
    assert sources.place()[0].stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("now", ["log = [", "stores.x.secret_key = 'hush'\n"])
def test_what_cannot_be_recorded_is_kept_beside(
    history: History, sources: Sources, now: str
) -> None:
    write(sources, FIRST)
    first = history.record(sources.read(), "me")
    write(sources, now)
    done = roll_back(history, sources, first, "me")
    assert texts(sources) == {"lakebed.toml": FIRST}
    assert done.recorded is None
    (copy,) = done.copies
    assert (copy.read_text(), copy.stat().st_mode & 0o777) == (now, 0o600)
    assert len(history.versions()) == 1


def test_files_that_are_gone_are_made_again(history: History, sources: Sources) -> None:
    write(sources, FIRST, SECOND)
    first = history.record(sources.read(), "me")
    for path in sources.place():
        path.unlink()
    done = roll_back(history, sources, first, "me")
    assert (done.recorded, done.copies) == (None, ())
    assert texts(sources) == dict(first.files)
    assert sources.place()[0].stat().st_mode & 0o777 == 0o600


def test_a_version_of_another_environment_is_refused(history: History, sources: Sources) -> None:
    write(sources, FIRST)
    first = history.record(sources.read(), "me")
    with pytest.raises(UsageError, match="version 1: it is of the environment staging"):
        roll_back(history, sources.of("production"), first, "me")
    with pytest.raises(UsageError, match="write --env staging"):
        roll_back(history, sources.of(""), first, "me")
    assert texts(sources) == {"lakebed.toml": FIRST}


def test_a_version_of_files_with_other_names_is_refused(
    history: History, sources: Sources, tmp_path: Path
) -> None:
    write(sources, FIRST)
    first = history.record(sources.read(), "me")
    other = Sources(tmp_path / "other.toml", sources.environ, tmp_path)
    with pytest.raises(UsageError, match=r"it has a file lakebed\.toml, and here are other\.toml"):
        roll_back(history, other, first, "me")


def test_where_nothing_can_be_written_nothing_is(
    history: History, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(sources, FIRST, FIRST)
    first = history.record(sources.read(), "me")
    write(sources, SECOND, SECOND)
    before = texts(sources)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigurationError, match="cannot write the configuration: No space"):
        roll_back(history, sources, first, "me")
    assert texts(sources) == before
    assert {path.name for path in sources.cwd.glob("*") if path.suffix == ".toml"} == set(before)
    assert not list(sources.cwd.glob(".lakebed*"))
