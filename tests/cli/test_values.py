"""Values that are far too large, too deep or too many: one line and exit code 2, never a defect."""

import json
import sys
from hashlib import sha256
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from lakebed.cli import request
from lakebed.errors import Exit, KeyUnsupported, ListingRefused, UsageError
from lakebed.model.objects import Object
from lakebed.model.operation import KeyFile
from lakebed.settings import StoreSettings
from lakebed.store import listing
from lakebed.store.contract import Buffer, Page
from lakebed.store.memory import MemoryStore
from lakebed.transfer.filters import pattern

from .conftest import MOMENT, FakePlatform, Lakebed, failure

DIGITS = "9" * 400


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--newer", "9999999999d", "too long"),
        ("--older", "9999999999d", "too long"),
        ("--min-size", DIGITS, "too large"),
        ("--max-size", DIGITS, "too large"),
        ("--memory", DIGITS, "too large"),
        ("--memory", "0", "at least 1.0 MiB"),
        ("--memory", "1023KiB", "at least 1.0 MiB"),
        ("--max-duration", "99999999999999d", "too long"),
    ],
)
def test_a_size_or_time_beyond_reason_is_refused_by_its_option(
    lakebed: Lakebed, platform: FakePlatform, option: str, value: str, reason: str
) -> None:
    ended = lakebed("sync", "a:b", "c:d", option, value)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith(f"lakebed: {option} {value[:9]}"[:40])
    assert reason in ended.err
    assert not platform.requests


@pytest.mark.parametrize(
    "line",
    [
        f"operations --limit {'9' * 20}",
        f"operations prune --keep-last {'9' * 20}",
        f"operations prune --older-than {DIGITS}",
        f"sync a:b c:d --concurrency {'9' * 20}",
        f"sync a:b c:d --retries {'9' * 20}",
        f"sync a:b c:d --max-errors {'9' * 20}",
        f"sync a:b c:d --delete --max-delete {'9' * 20}",
    ],
)
def test_a_number_beyond_reason_is_wrong_usage(
    lakebed: Lakebed, platform: FakePlatform, line: str
) -> None:
    ended = lakebed(*line.split())
    assert (ended.code, ended.err.count("\n")) == (2, 1)


def test_the_help_names_no_bounds_that_nobody_meets(lakebed: Lakebed) -> None:
    for command in (["sync"], ["operations", "list"], ["operations", "prune"]):
        assert "x<=" not in lakebed(*command, "--help").out


def test_the_smallest_memory_is_taken(lakebed: Lakebed, platform: FakePlatform) -> None:
    assert lakebed("sync", "a:b", "c:d", "--memory", "1MiB").code == 0


def test_a_pattern_that_is_nested_too_deep_is_refused_in_a_short_line() -> None:
    deep = "{" * 2000 + "a" + "}" * 2000
    with pytest.raises(UsageError, match="nested too deep") as refused:
        pattern(deep)
    assert len(str(refused.value)) < 300


# --- --files-from --------------------------------------------------------------------------------


def test_a_long_list_of_keys_is_kept_as_its_file(
    lakebed: Lakebed, platform: FakePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "MAX_KEYS_BYTES", 1024)
    long = b"k\0" * 513
    (tmp_path / "keys").write_bytes(b"k\n" * 512)
    (tmp_path / "long").write_bytes(long)
    assert lakebed("sync", "--files-from", "keys", "a:b", "c:d").code == 0
    assert lakebed("sync", "--files-from", "long", "--from0", "a:b", "c:d").code == 0
    short, kept = (asked.options.filters for asked in platform.requests)
    assert (short.keys, short.keys_file) == (("k",) * 512, None)
    digest = sha256(long).hexdigest()
    assert (kept.keys, kept.keys_file) == (None, KeyFile(str(tmp_path / "long"), digest, True))


def test_no_more_of_an_endless_list_is_read_than_is_needed(
    lakebed: Lakebed, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = BytesIO(b"k\n" * request.MAX_KEYS_BYTES)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(typed))
    ended = lakebed("sync", "--files-from", "-", "a:b", "c:d")
    assert ended.code == 2
    assert "write it to a file, which may be of any length" in ended.err
    assert typed.tell() <= request.MAX_KEYS_BYTES + 1


# --- --report ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["absent/report.json", "file/report.json", "folder", "."])
def test_a_report_that_cannot_be_written_is_found_before_anything_is_done(
    lakebed: Lakebed, platform: FakePlatform, tmp_path: Path, path: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for command in (["sync", "a:b", "c:d"], ["verify", "a:b", "c:d"], ["resume", "1M7"]):
        ended = lakebed(*command, "--report", path)
        assert (ended.code, ended.out) == (2, "")
        assert f"{path}: the report cannot be written" in ended.err
    assert (platform.requests, platform.resumed) == ([], [])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_report_that_fails_at_the_end_leaves_the_summary_as_the_last_line(
    lakebed: Lakebed, platform: FakePlatform, tmp_path: Path
) -> None:
    (tmp_path / "reports").mkdir()
    platform.meanwhile = lambda cancellation: (tmp_path / "reports").rmdir()
    platform.failures = [failure("x")]
    ended = lakebed("sync", "--json", "--report", "reports/r.json", "a:b", "c:d")
    assert ended.code == 2
    assert json.loads(ended.out.splitlines()[-1])["event"] == "summary"
    assert "the report cannot be written" in ended.err


# --- what a store refuses ------------------------------------------------------------------------


def test_a_folder_that_the_store_cannot_have_is_wrong_usage(
    lakebed: Lakebed, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(place: object) -> object:
        raise KeyUnsupported("no such key", subject="mi:lake", advice="this store cannot hold it")

    monkeypatch.setattr(platform, "list", refusing)
    ended = lakebed("ls", "mi:lake/../")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "lakebed: mi:lake: no such key (this store cannot hold it)\n"


def test_the_advice_on_a_listing_out_of_order_is_a_setting_that_there_is() -> None:
    class Backwards(MemoryStore):
        def list_page(self, *args: object, **options: object) -> Page:
            return Page(tuple(Object(key, 1, "e", MOMENT) for key in "ba"))

    store = Backwards("lake", buckets=["bucket"])
    store.put("bucket", "a", Buffer((b"x",)))
    with pytest.raises(ListingRefused, match=r'set disable = \["ordered"\] for this store'):
        list(listing.objects(store, "bucket"))
    assert StoreSettings.model_validate({"disable": ["ordered"]}).disable == ("ordered",)


# --- --bandwidth ---------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["sync a:b c:d", "verify a:b c:d", "resume 1M7"])
@pytest.mark.parametrize(
    ("typed", "bandwidth"),
    [([], 16 * 1024**2), (["--bandwidth", "10M"], 10 * 1024**2), (["--bandwidth", "off"], None)],
)
def test_the_bandwidth_is_the_one_that_is_typed_or_else_the_configured_one(
    lakebed: Lakebed,
    platform: FakePlatform,
    tmp_path: Path,
    line: str,
    typed: list[str],
    bandwidth: int | None,
) -> None:
    (tmp_path / "lakebed.toml").write_text('bandwidth = "16M"')
    lakebed(*line.split(), *typed)
    assert platform.settings is not None
    assert platform.settings.bandwidth == bandwidth


@pytest.mark.parametrize("typed", ["much", "0", "1K", "10M/h"])
def test_a_bandwidth_that_is_none_is_refused_by_its_option(
    lakebed: Lakebed, platform: FakePlatform, typed: str
) -> None:
    ended = lakebed("sync", "a:b", "c:d", "--bandwidth", typed)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith(f"lakebed: --bandwidth {typed}: ")
    assert not platform.requests


@pytest.mark.parametrize("options", [["--from0"], ["--dry-run", "--report", "r.json"]])
def test_an_option_that_would_do_nothing_is_wrong_usage(
    lakebed: Lakebed, options: list[str]
) -> None:
    assert lakebed("sync", *options, "a:b", "c:d").code == Exit.USAGE
