import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lakebed.operations import owner
from lakebed.operations.owner import Owner

NEEDS_PROC = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until its standard input ends."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(owner, "_PROC", tmp_path)
    owner._place.cache_clear()
    yield
    owner._place.cache_clear()


def owner_of(pid: int) -> Owner:
    return Owner(Owner.current().place, pid, owner._status(pid)[1])


def test_an_owner_is_the_same_after_it_was_written_down() -> None:
    current = Owner.current()
    assert Owner.parse(str(current)) == current
    assert current.pid == os.getpid()
    assert current.host == os.uname().nodename


def test_a_process_that_runs_is_not_gone(child: subprocess.Popen[bytes]) -> None:
    assert not Owner.current().is_gone()
    assert not owner_of(child.pid).is_gone()


def test_a_process_that_ended_is_gone(child: subprocess.Popen[bytes]) -> None:
    dead = owner_of(child.pid)
    child.kill()
    child.wait()
    assert dead.is_gone()


@NEEDS_PROC
def test_a_killed_process_that_nobody_waited_for_is_gone(child: subprocess.Popen[bytes]) -> None:
    zombie = owner_of(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert zombie.is_gone()


@NEEDS_PROC
def test_another_process_under_the_same_id_is_not_the_owner() -> None:
    assert replace(Owner.current(), began="1").is_gone()


def test_a_process_of_another_machine_is_never_known_to_be_gone() -> None:
    assert not Owner("elsewhere//", 2**22 + 1, "").is_gone()


def test_a_process_of_somebody_else_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert not Owner.current().is_gone()


@pytest.mark.usefixtures("without_proc")
def test_without_proc_a_process_is_gone_when_its_id_is(child: subprocess.Popen[bytes]) -> None:
    alive = owner_of(child.pid)
    assert alive.began == ""
    assert not alive.is_gone()
    child.kill()
    child.wait()
    assert alive.is_gone()
