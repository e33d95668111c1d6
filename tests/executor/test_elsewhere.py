"""Commands behave the same whether the engine is here or an executor's."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

import pytest

from lakebed.cli.entry import run
from lakebed.report.formats import Format
from tests.e2e.buckets import Bucket, pair, pairs
from tests.e2e.process import Lakebed
from tests.executor.replica import Json, Replica

VARYING = {
    *("operation_id", "seconds", "created", "started", "finished", "told", "sha256"),
    *("throughput", "durations", "slowest", "since", "options"),
}
"""Fields that differ between any two operations."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def events(self) -> list[Json]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def operation_id(self) -> str:
        (found,) = set(re.findall(r"\b1[0-9A-Z]{15}\b", self.out + self.err))
        return str(found)


@dataclass
class Both:
    """A command line here, and with an executor; a bucket for what each of them writes."""

    call: Callable[..., Ended]
    url: str
    source: str
    here: str
    there: str

    def one(self, *arguments: str, elsewhere: bool = False) -> Ended:
        """`FROM` and `TO` are the locations."""
        names = {"FROM": self.source, "TO": self.there if elsewhere else self.here}
        named = [names.get(one, one) for one in arguments]
        return self.call(*named, *(("--executor", self.url) if elsewhere else ()))

    def same(self, *arguments: str) -> Ended:
        """Do it in both ways, and expect the same; how it went elsewhere."""
        here, there = (self._done(arguments, elsewhere) for elsewhere in (False, True))
        assert there.code == here.code, there.err
        assert self._plain(there.out) == self._plain(here.out)
        assert self._plain(there.err) == self._plain(here.err)
        return there

    def _done(self, arguments: tuple[str, ...], elsewhere: bool) -> Ended:
        # Both keep their ledger in one place: what is in quarantine is so for both.
        self.call("quarantine", "release", "--all")
        return self.one(*arguments, elsewhere=elsewhere)

    def _plain(self, text: str) -> list[str]:
        """Without what differs between any two runs; what is settled at once has no order."""
        for name in (self.here, self.there):
            text = text.replace(name.rstrip("/"), "TO")
        return sorted(filter(None, map(_plain, text.splitlines())))


def _plain(line: str) -> str:
    if re.match(r"\d+ of \d+\+? objects|warning: operation .* waits", line):  # as time passes
        return ""
    if line.startswith("{"):
        event = json.loads(line)
        if event.get("event") == "progress":
            return ""
        return json.dumps({name: one for name, one in event.items() if name not in VARYING})
    line = re.sub(r"\b1[0-9A-Z]{15}\b", "ID", line)
    line = re.sub(r"\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d(\.\d+\+00:00)?", "MOMENT", line)
    return re.sub(r"[\d,.]+ (ms|s|min \d+ s)\b(, [\d.,]+ [KMG]?i?B/s)?", "TIME", line)


@pytest.fixture
def both(
    executor: Replica,
    lakebed: Lakebed,
    source: Bucket,
    destination: Bucket,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Both:
    for name, value in lakebed.environment.items():
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.startswith("LAKEBED_EXECUTOR")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(lakebed.folder)

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(arguments)
        return Ended(code, *capsys.readouterr())

    other = Bucket.create(destination.store)
    ends = (f"here:{source.name}/", f"there:{destination.name}/", f"there:{other.name}/")
    return Both(call, executor.url, *ends)


def test_a_sync_and_what_is_told_of_it_are_the_same(both: Both, source: Bucket) -> None:
    source.fill(pairs(5))
    assert both.same("plan", "FROM", "TO").code == 0
    both.same("sync", "--dry-run", "FROM", "TO", "--json")
    copied = both.same("sync", "FROM", "TO", "--json").events
    assert [one["event"] for one in copied].count("copied") == 10
    both.same("sync", "FROM", "TO", "-v")
    both.same("sync", "FROM", "TO", "-q")
    both.same("verify", "FROM", "TO")
    both.same("plan", "FROM", "TO", "-v", "--include", "*.zip")
    assert "md5-etags       yes" in both.same("stores", "TO").out
    assert both.same("stores", "TO", "--probe", "--json").events[0]["write"] is True
    assert len(both.same("stores").out) > 100
    assert both.same("stores", "nowhere:b").code == 2


def test_what_fails_is_told_in_the_same_words(both: Both, source: Bucket) -> None:
    refused = {**pair("a/1.zip", b"1"), "a/1.zip.CHECKSUM": b"0" * 64 + b"  1.zip\n"}
    source.fill({**pairs(2), **refused})
    assert both.same("verify", "FROM", "TO").code == 3
    done = both.same("sync", "FROM", "TO")
    assert done.code == 4
    operation_id = done.operation_id.lower()
    assert both.same("operations", operation_id).code == 0
    assert [one["event"] for one in both.same("operations", operation_id, "--json").events[1:]] == [
        "quarantined",
        "quarantined",
    ]
    assert both.same("cancel", operation_id).code == 2
    assert both.same("resume", operation_id, "--json").code == 4
    assert both.same("sync", "here:no-such-bucket/", "TO").code == 5
    assert both.same("plan", "here:no-such-bucket/", "TO").code == 5
    assert both.same("sync", "nowhere:b/", "TO").code == 2
    assert both.same("operations", "0").code == 2
    assert both.same("sync", "FROM", "TO", "--max-delete", "1").code == 2


def test_a_source_that_lists_nothing_is_warned_of_in_both(
    both: Both, caplog: pytest.LogCaptureFixture
) -> None:
    both.same("sync", "FROM", "TO", "--include", "*.zip")
    here, there = (record.getMessage() for record in caplog.records[-2:])
    assert here == there
    assert there.endswith("that the filters take")


def test_reports_are_the_same(both: Both, source: Bucket, tmp_path: Path) -> None:
    source.fill(pairs(3))
    path = tmp_path / "report.json"
    done = both.one("sync", "FROM", "TO", "--report", str(path), elsewhere=True)
    written = json.loads(path.read_text())
    assert (written["copied"], written["operation_id"]) == (6, done.operation_id)
    for form in Format:
        here, there = (
            both.one("report", done.operation_id, "--format", form, elsewhere=elsewhere).out
            for elsewhere in (False, True)
        )
        assert _without_moment(there) == _without_moment(here)


def _without_moment(report: str) -> list[str]:
    """All but when it was told."""
    told = '"told"|told at|told |^<footer>Counted'
    return [line for line in report.splitlines() if not re.search(told, line)]


def test_operations_are_those_of_the_executor(both: Both, source: Bucket) -> None:
    source.fill(pairs(1))
    for _ in range(3):
        both.one("sync", "FROM", "TO", elsewhere=True)
    table = both.same("operations", "--limit", "2", "--state", "completed")
    assert len(table.out.splitlines()) == 3
    assert len(both.same("operations", "--json").events) == 3
    assert both.one("operations", "--state", "failed", elsewhere=True).out == "no operations\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("sync", "./folder/", "TO"), "does not see the folders of this machine"),
        (("sync", "FROM", "TO", "--metrics-listen", "127.0.0.1:0"), "--metrics-listen with"),
        (("verify", "FROM", "TO", "--metrics-file", "m"), "--metrics-file with --executor"),
        (("plan", "FROM", "TO", "--files-from", "keys"), "takes at most 10,000 keys"),
        (("sync", "FROM", "TO", "--inventory", "inventory.csv"), "--inventory with --executor"),
        (("resume", "1M7", "--bandwidth", "1M"), "--bandwidth with --executor"),
        (("sync", "FROM", "TO", "--concurrency", "500"), "max_concurrent"),
    ],
)
def test_what_has_no_meaning_at_an_executor_is_refused(
    arguments: tuple[str, ...],
    complaint: str,
    lakebed: Lakebed,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(lakebed.folder)
    Path("keys").write_text("k\n" * 10_001)
    Path("inventory.csv").write_text('"a","b"\n')
    named = {"FROM": "here:a/", "TO": "there:b/"}
    typed = [named.get(one, one) for one in arguments]
    assert run([*typed, "--executor", "http://127.0.0.1:9"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


def test_an_executor_that_is_away_is_a_line_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakebed.api.connection.TRIES", 1)
    assert run(["operations", "--executor", "http://127.0.0.1:9"]) == 5
    assert "http://127.0.0.1:9: the executor cannot be reached" in capsys.readouterr().err


def test_a_signal_ends_the_watching_and_not_the_operation(
    executor: Replica, lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    source.fill({"large": bytes(4 * 1024**2)})
    far = lakebed.but(LAKEBED_EXECUTOR_URL=executor.url)
    ends = (f"here:{source.name}/", f"there:{destination.name}/")
    with far.started("sync", *ends, "--bandwidth", "64K", "--json") as running:
        operation_id = str(running.until("started")["operation_id"])
        running.signal(SIGINT)
        ended = running.end()
    assert ended.code == 130
    assert f"operation {operation_id} goes on at the executor" in ended.complaint
    assert f"lakebed cancel {operation_id} --executor {executor.url}" in ended.complaint
    assert executor.get(f"/api/v1/operations/{operation_id}")["state"] == "running"
    assert far("cancel", operation_id).out == f"operation {operation_id} was asked to stop\n"
    assert executor.ended(operation_id)["state"] == "cancelled"
    again = far("resume", operation_id)
    assert (again.code, "it was cancelled" in again.complaint) == (6, True)
