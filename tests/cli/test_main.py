"""How the command ends: one line, one exit code."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lakebed.cli import entry, signals
from lakebed.errors import (
    EXIT_MEANING,
    AccessDenied,
    BucketMissing,
    CredentialsRefused,
    Interrupted,
    LakebedError,
    RunningElsewhere,
    UsageError,
)

from .conftest import FakePlatform, Lakebed


def test_help_lists_each_command_and_each_exit_code(lakebed: Lakebed) -> None:
    ended = lakebed("--help")
    assert ended.code == 0
    for command in ("sync", "plan", "verify", "ls", "operations", "resume", "cancel", "stores"):
        assert f"\n  {command} " in ended.out
    for code, meaning in EXIT_MEANING.items():
        assert f"  {code.value:<4} {meaning}" in ended.out


def test_the_help_of_a_command_groups_its_options(lakebed: Lakebed) -> None:
    out = lakebed("sync", "--help").out
    assert out.startswith("Usage: lakebed sync [OPTIONS] SOURCE DESTINATION\n")
    headings = ["Arguments", "Which objects", "How they are moved", "Limits", "Every command"]
    places = [out.index(f"\n{heading}:\n") for heading in headings]
    assert places == sorted(places)
    assert "x>=" not in out
    assert "\nExit codes:\n" in out


def test_without_a_command_the_help_is_an_error(lakebed: Lakebed) -> None:
    ended = lakebed()
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: lakebed" in ended.err


@pytest.mark.parametrize("arguments", [["--version"], ["version"]])
def test_the_version_is_printed(lakebed: Lakebed, arguments: list[str]) -> None:
    ended = lakebed(*arguments)
    assert ended.code == 0
    assert ended.out.startswith("lakebed ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["snc"], "No such command 'snc'. Did you mean 'sync'? (see lakebed --help)"),
        (["sync", "a:b"], "Missing argument 'DESTINATION' (see lakebed sync --help)"),
        (["ls", "--zzz", "a:b"], "No such option: --zzz (see lakebed ls --help)"),
        (["sync", "--mode", "x", "a:b", "c:d"], "Invalid value for '--mode'"),
        (
            ["ls", "folder"],
            "folder: not a location (write store:bucket/prefix/, s3://bucket/prefix/",
        ),
        (["ls", "--config", "absent.toml", "a:b"], "absent.toml: cannot read the configuration"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    lakebed: Lakebed, arguments: list[str], line: str
) -> None:
    ended = lakebed(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"lakebed: {line}")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (BucketMissing("x"), 5),
        (CredentialsRefused("x"), 5),
        (RunningElsewhere("x"), 6),
        (Interrupted("x"), 130),
        (LakebedError("x"), 1),
    ],
)
def test_an_error_of_ours_is_one_line_and_its_exit_code(
    lakebed: Lakebed, platform: FakePlatform, error: LakebedError, code: int
) -> None:
    platform.error = error
    ended = lakebed("sync", "a:b", "c:d")
    assert (ended.code, ended.out, ended.err) == (code, "", "lakebed: x\n")


def test_a_secret_in_an_error_is_not_shown(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.error = AccessDenied("GET /?X-Amz-Signature=abcdef", advice="secret_key=hush")
    ended = lakebed("sync", "a:b", "c:d", "--debug")
    assert "Traceback" in ended.err
    assert "abcdef" not in ended.err
    assert "hush" not in ended.err


def test_the_trace_of_an_early_error_is_shown_with_debug(lakebed: Lakebed) -> None:
    assert "Traceback" in lakebed("ls", "nowhere", "--debug").err
    assert "Traceback" not in lakebed("ls", "nowhere").err


def test_a_defect_is_one_line_and_exit_code_1(lakebed: Lakebed, platform: FakePlatform) -> None:
    platform.error = ZeroDivisionError("oh")
    ended = lakebed("sync", "a:b", "c:d")
    assert ended.code == 1
    assert ended.err == (
        "lakebed: a defect of Lakebed: ZeroDivisionError: oh (run again with --debug for the trace)"
        "\n"
    )


def test_the_trace_of_a_defect_is_shown_with_debug(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    platform.error = ZeroDivisionError("oh")
    ended = lakebed("sync", "a:b", "c:d", "--debug")
    assert ended.code == 1
    assert "Traceback" in ended.err
    assert ended.err.endswith("lakebed: a defect of Lakebed: ZeroDivisionError: oh\n")


class _Full(io.StringIO):
    """A stdout that takes nothing more."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_behind_stdout_is_no_success(
    lakebed: Lakebed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", _Full())
    ended = lakebed("stores")
    assert (ended.code, ended.err) == (3, "lakebed: stdout: No space left on device\n")


def test_a_full_disk_behind_stdout_does_not_end_an_operation(
    lakebed: Lakebed, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", _Full())
    ended = lakebed("sync", "--json", "a:b", "c:d")
    assert len(platform.requests) == 1
    assert (ended.code, ended.err) == (3, "lakebed: stdout: No space left on device\n")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["sync", "--help"]])
def test_help_that_cannot_be_written_is_no_success(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            _lakebed(*arguments), stdout=full, stderr=subprocess.PIPE, timeout=30
        )
    assert ended.returncode == 3
    assert ended.stderr == b"lakebed: stdout: No space left on device\n"


@pytest.mark.parametrize("option", ["--config", "--config=x", "-v", "--debug"])
def test_an_option_before_the_command_is_told_its_place(lakebed: Lakebed, option: str) -> None:
    ended = lakebed(option, "x", "sync")
    name = option.partition("=")[0]
    assert (ended.code, ended.err) == (
        2,
        f"lakebed: {name}: write it after the command, as in lakebed sync {name} …\n",
    )


def test_the_end_of_a_foreign_library_is_taken_over(
    lakebed: Lakebed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*arguments: object, **options: object) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(entry, "build", lambda commands: ended)
    assert lakebed("version").code == 3


def test_an_interrupt_outside_of_an_operation_has_its_exit_code(
    lakebed: Lakebed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "build", lambda commands: interrupted)
    assert lakebed("version").code == 130


# --- as a process --------------------------------------------------------------------------------

_INTERRUPTED = """
import os, signal, sys
from lakebed.cli import main, platform, signals
from lakebed.errors import LakebedError

class Fake:
    def __init__(self, settings, cancellation, observer): self.stop = cancellation
    def __enter__(self): return self
    def __exit__(self, *error): pass
    def sync(self, request, watch):
        for _ in range(2):
            os.kill(os.getpid(), signal.{signal})
        {then}

platform.open_platform = Fake
signals.GRACE_SECONDS = {grace}
sys.argv = ["lakebed", "sync", "a:b", "c:d"]
main()
"""
_ORDERLY = "self.stop.wait(60)"
_STUCK = "import threading; threading.Event().wait(60)"


@pytest.mark.parametrize(
    ("signal", "then", "grace", "line", "code"),
    [
        ("SIGINT", _ORDERLY, 50, "lakebed: interrupted by SIGINT\n", 130),
        ("SIGTERM", _ORDERLY, 50, "lakebed: interrupted by SIGTERM\n", 143),
        ("SIGTERM", _STUCK, 0.1, "", 143),
    ],
)
def test_a_signal_ends_the_process_with_its_code_however_often_it_comes(
    tmp_path: Path, signal: str, then: str, grace: float, line: str, code: int
) -> None:
    script = _INTERRUPTED.format(signal=signal, then=then, grace=grace)
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=40
    )
    assert (ended.returncode, ended.stderr) == (code, line)


def test_even_what_is_stuck_ends_within_5_seconds() -> None:
    assert signals.GRACE_SECONDS < 5


def _lakebed(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from lakebed.cli import main; main()", *arguments]


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        ended = subprocess.run(
            _lakebed("stores"), stdout=gone, stderr=subprocess.PIPE, cwd=tmp_path, timeout=30
        )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; from lakebed.cli.entry import run; run(['--help'])\n"
        "heavy = {'pydantic', 'rich', 'sqlalchemy', 'botocore', 'pycurl', 'asyncio'}\n"
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=30
    )
    assert ended.stderr == ""
    assert ended.returncode == 0
