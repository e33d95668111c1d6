"""How long s5cmd may say nothing: on a clock of the tests' own."""

from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import TimeoutExpired
from types import SimpleNamespace
from typing import Self

import pytest

from lakebed.errors import StoreError
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Copying
from lakebed.store.s3 import s5cmd
from lakebed.store.s3.client import Endpoint
from lakebed.store.s3.s5cmd import S5cmd

STEP = 20.0
"""Seconds between two looks at it."""
ENDPOINT = Endpoint("lake", "http://127.0.0.1:9", "eu-west-1", stall_timeout=60, total_timeout=3600)
LINE = b'{"operation":"cp","success":true,"destination":"s3://bucket/k"}\n'


@dataclass
class Told:
    """A process that has said `lines` so many lines at each look; None: it has ended."""

    lines: Sequence[int]
    looks: int = 0
    returncode: int | None = None
    killed: bool = False

    @property
    def now(self) -> float:
        return self.looks * STEP

    def communicate(self, given: bytes | None, timeout: float) -> tuple[bytes, bytes]:
        said = LINE * self.lines[min(self.looks, len(self.lines) - 1)]
        self.looks += 1
        if self.looks < len(self.lines) or not said:
            raise TimeoutExpired("s5cmd", timeout, output=said or None)
        self.returncode = 0
        return said, b""

    def kill(self) -> None:
        self.killed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """It is waited for."""


def copied(told: Told, monkeypatch: pytest.MonkeyPatch) -> frozenset[str]:
    monkeypatch.setattr(s5cmd, "find", lambda: "s5cmd")
    monkeypatch.setattr(s5cmd, "Popen", lambda command, **pipes: told)
    monkeypatch.setattr(s5cmd, "time", SimpleNamespace(monotonic=lambda: told.now))
    return S5cmd(ENDPOINT, lambda: None, Cancellation()).copy("from", "bucket", [Copying("k", "k")])


def test_one_that_says_nothing_any_more_is_ended_as_a_stalled_request_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told([0])
    with pytest.raises(StoreError, match="did not end"):
        copied(told, monkeypatch)
    assert told.killed
    assert told.now == ENDPOINT.stall_timeout


def test_one_that_goes_on_saying_something_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told([0, 1, 1, 2, 2, 3, 3, 4])
    assert copied(told, monkeypatch) == {"k"}
    assert told.now > 2 * ENDPOINT.stall_timeout


def test_one_that_says_something_for_ever_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told(range(1000))
    with pytest.raises(StoreError, match="did not end"):
        copied(told, monkeypatch)
    assert told.now == ENDPOINT.total_timeout
