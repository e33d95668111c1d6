"""Batches of copies by s5cmd: what it is told, and how little of what it says is believed."""

import json
import os
import shlex
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.errors import Interrupted, NotSupported, StoreError
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Copying
from lakebed.store.s3 import s5cmd
from lakebed.store.s3.client import Endpoint
from lakebed.store.s3.credentials import Credentials
from lakebed.store.s3.s5cmd import S5cmd

ENDPOINT = Endpoint("lake", "http://127.0.0.1:9", "eu-west-1", total_timeout=30.0)
SECRET = "not-to-be-seen"
COPIES = [Copying("a", "to/a"), Copying("b", "to/b")]
Told = Callable[[str], Path]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Makes a stand-in for s5cmd of a Python script; the file that it writes what it saw to."""

    def make(script: str) -> Path:
        binary, seen = tmp_path / "s5cmd", tmp_path / "seen"
        head = f"#!{sys.executable}\nimport json, os, sys\n"
        see = "said = [sys.argv, dict(os.environ), sys.stdin.read()]\n"
        keep = f"open({str(seen)!r}, 'w').write(json.dumps(said))\n"
        binary.write_text(head + see + keep + script)
        binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(s5cmd, "find", lambda: str(binary))
        return seen

    return make


def batches(cancellation: Cancellation | None = None, most: int = 1024) -> S5cmd:
    return S5cmd(
        ENDPOINT, lambda: Credentials("key", SECRET, "token"), cancellation or Cancellation(), most
    )


def success(key: str) -> str:
    line = {"operation": "cp", "success": True, "source": "s3://from/x", "destination": key}
    return f"print({json.dumps(json.dumps(line))})\n"


def test_only_keys_that_it_names_as_copied_were_copied(told: Told) -> None:
    told(success("s3://bucket/to/a"))
    assert batches().copy("from", "bucket", COPIES) == {"to/a"}


def test_a_status_of_1_means_that_some_failed(told: Told) -> None:
    told(success("s3://bucket/to/b") + "sys.exit(1)\n")
    assert batches().copy("from", "bucket", COPIES) == {"to/b"}


def test_another_status_is_a_failure(told: Told) -> None:
    told(success("s3://bucket/to/b") + "sys.exit(7)\n")
    with pytest.raises(StoreError, match="status 7"):
        batches().copy("from", "bucket", COPIES)


def test_secrets_go_by_the_environment_and_never_by_arguments(told: Told) -> None:
    seen = told("")
    batches().copy("from", "bucket", COPIES)
    arguments, environment, _ = json.loads(seen.read_text())
    assert SECRET not in " ".join(arguments)
    assert environment["AWS_SECRET_ACCESS_KEY"] == SECRET
    assert environment["AWS_SESSION_TOKEN"] == "token"
    assert environment["AWS_REGION"] == "eu-west-1"


@pytest.mark.parametrize(("most", "workers"), [(1, "1"), (1024, "32")])
def test_no_more_copies_are_under_way_than_may_be(told: Told, most: int, workers: str) -> None:
    seen = told("")
    batches(most=most).copy("from", "bucket", COPIES)
    arguments, _, _ = json.loads(seen.read_text())
    assert arguments[arguments.index("--numworkers") + 1] == workers


def test_a_proxy_is_known_by_either_spelling(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    seen = told("")
    batches().copy("from", "bucket", COPIES)
    _, environment, _ = json.loads(seen.read_text())
    assert environment["https_proxy"] == "http://proxy:3128"


def test_thousands_of_brackets_name_no_key(told: Told) -> None:
    told("print('[' * 100_000)\n" + success("s3://bucket/to/a"))
    assert batches().copy("from", "bucket", COPIES) == {"to/a"}


def test_without_credentials_nothing_is_signed(told: Told) -> None:
    seen = told("")
    S5cmd(ENDPOINT, lambda: None, Cancellation()).copy("from", "bucket", COPIES)
    arguments, environment, _ = json.loads(seen.read_text())
    assert "--no-sign-request" in arguments
    assert "AWS_SECRET_ACCESS_KEY" not in environment


def test_keys_that_would_break_a_batch_stay_out_of_it(told: Told) -> None:
    seen = told("")
    odd = [Copying("line\nbreak", "to/x"), Copying("y", "to/folder/"), Copying("fine", "to/fine")]
    batches().copy("from", "bucket", odd)
    lines = json.loads(seen.read_text())[2].splitlines()
    assert lines == ["cp --raw --metadata-directive COPY 's3://from/fine' 's3://bucket/to/fine'"]


def test_without_s5cmd_there_are_no_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s5cmd, "find", lambda: None)
    with pytest.raises(NotSupported, match="not installed"):
        batches().copy("from", "bucket", COPIES)


def test_one_that_cannot_be_run_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s5cmd, "find", lambda: str(tmp_path))
    with pytest.raises(NotSupported, match="cannot be run"):
        batches().copy("from", "bucket", COPIES)


def test_one_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s5cmd, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert s5cmd.find() is None
    (tmp_path / "s5cmd").touch(0o755)
    assert s5cmd.find() == str(tmp_path / "s5cmd")


def test_a_batch_of_any_length_is_taken(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s5cmd, "_POLL", 0.001)  # less than any process takes to read
    seen = told("")
    many = [Copying(f"{number:04}" * 200, "to/x") for number in range(2000)]
    batches().copy("from", "bucket", many)
    assert len(json.loads(seen.read_text())[2].splitlines()) == 2000


def test_one_that_does_not_end_is_ended(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s5cmd, "_POLL", 0.001)
    told(_FOREVER)
    impatient = S5cmd(replace(ENDPOINT, total_timeout=0.5), lambda: None, Cancellation())
    with pytest.raises(StoreError, match="did not end"):
        impatient.copy("from", "bucket", COPIES)


def test_a_stop_ends_the_process(told: Told, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    told(f"open({str(begun)!r}, 'w').write(str(os.getpid()))\nsys.stdin.close()\n" + _FOREVER)
    cancellation = Cancellation()

    def stop() -> None:
        begun.read_text()  # blocks until the process has begun
        cancellation.stop(Interrupted("stopped"))

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Interrupted):
        batches(cancellation).copy("from", "bucket", COPIES)
    stopper.join()


_FOREVER = "import threading\nthreading.Event().wait()\n"


def test_one_that_says_nothing_is_ended(told: Told) -> None:
    told(_FOREVER)
    silent = replace(ENDPOINT, stall_timeout=0.1)
    with pytest.raises(StoreError, match="did not end"):
        S5cmd(silent, lambda: None, Cancellation()).copy("from", "bucket", COPIES)


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"))))
def test_whatever_a_key_holds_its_reader_takes_it_as_one_word(key: str) -> None:
    line = s5cmd._line("from", "bucket", Copying(key, key))
    source, target = shlex.split(line)[4:]
    assert (source, target) == (f"s3://from/{key}", f"s3://bucket/{key}")


_JUNK = st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode())
_TOLD = st.fixed_dictionaries(
    {
        "operation": st.sampled_from(["cp", "rm", 1]),
        "success": st.sampled_from([True, False, "true", 1, None]),
        "destination": st.sampled_from(["s3://bucket/k", "s3://other/k", "bucket/k", None, 3]),
    }
)


@given(st.lists(_JUNK, max_size=4), st.lists(_TOLD, max_size=4))
def test_no_line_but_a_success_names_a_key(
    junk: list[bytes], told: list[dict[str, object]]
) -> None:
    lines = [*junk, *(json.dumps(one).encode() for one in told)]
    good = {"operation": "cp", "success": True, "destination": "s3://bucket/k"}
    says = any(one == good and one["success"] is True for one in told)
    assert set(s5cmd._copied(b"\n".join(lines), "bucket")) == ({"k"} if says else set())
