"""A server as a child process."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakebed.local import guard
from lakebed.local.child import Child

PATIENCE = 30.0
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own way is Linux's")


@contextmanager
def running(tmp_path: Path, script: str) -> Iterator[Child]:
    child = Child([sys.executable, "-c", script], os.environ, tmp_path / "log", ())
    child.start()
    try:
        yield child
    finally:
        child.stop(0)


def test_what_it_prints_is_kept_and_its_status_is_told(tmp_path: Path) -> None:
    script = "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"
    with running(tmp_path, script) as child:
        assert child.wait(PATIENCE) == 3
        assert child.ended
        assert sorted(child.tail().split()) == ["one", "two"]


def test_waiting_has_an_end(tmp_path: Path) -> None:
    with running(tmp_path, "import signal; signal.pause()") as child:
        assert child.wait(0) is None
        assert not child.ended


def test_it_ends_when_asked(tmp_path: Path) -> None:
    with running(tmp_path, "import signal; signal.pause()") as child:
        child.stop(PATIENCE)
        assert child.wait(0) == -15


@linux
def test_one_that_does_not_listen_is_ended(tmp_path: Path) -> None:
    ready, told = os.pipe()
    script = (
        "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"os.write({told}, b'x'); signal.pause()"
    )
    child = Child([sys.executable, "-c", script], os.environ, tmp_path / "log", (told,))
    child.start()
    assert os.read(ready, 1) == b"x"
    child.stop(0.01)
    assert child.wait(0) == -9
    os.close(ready)
    os.close(told)


def test_it_has_a_process_group_of_its_own_that_ctrl_c_does_not_reach(tmp_path: Path) -> None:
    with running(tmp_path, "import signal; signal.pause()") as child:
        assert os.getpgid(child.pid) == child.pid != os.getpgid(0)


def test_a_program_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    child = Child(["program"], {}, tmp_path / "missing" / "log", ())
    with pytest.raises(FileNotFoundError):
        child.start()
    assert (child.pid, child.ended, child.wait(0), child.tail()) == (0, True, None, "")
    child.stop(0)


@linux
def test_it_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys; from lakebed.local.child import Child\n"
        "child = Child([sys.executable, '-c', 'import signal; print(1, flush=True);"
        " signal.pause()'], os.environ, pathlib.Path(sys.argv[1]), ())\n"
        "child.start()\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        with os.fdopen(os.pidfd_open(pid)) as descriptor:
            parent.kill()
            assert select.select([descriptor], [], [], PATIENCE)[0]


@linux
def test_the_guard_ends_where_its_parent_is_gone_already() -> None:
    script = [sys.executable, "-I", "-S", guard.__file__, "1", "", "/bin/false"]
    assert subprocess.run(script, check=False).returncode == 0


def test_the_guard_becomes_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(guard, "_tie_to_parent", lambda: None)
    monkeypatch.setattr(os, "execv", lambda path, argv: became.append((path, argv)))
    guard.become(os.getppid(), "", ["/bin/server", "--quiet"])
    guard.become(os.getppid() + 1, "", ["/bin/server"])
    assert became == [("/bin/server", ["/bin/server", "--quiet"])]


@linux
def test_the_tie_is_made_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []

    class Library:
        def prctl(self, option: int, signal: int) -> None:
            calls.append((option, signal))

    monkeypatch.setattr("ctypes.CDLL", lambda name: Library())
    guard._tie_to_parent()
    assert calls == [(1, 9)]
    monkeypatch.setattr(sys, "platform", "darwin")
    guard._tie_to_parent()
    assert len(calls) == 1
