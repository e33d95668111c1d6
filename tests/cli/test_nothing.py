"""What would be deleted, what is not there, and what does not fit."""

import io
import json
from dataclasses import replace

import pytest

import lakebed as library
from lakebed.archive.upload import Uploaded
from lakebed.cli import output
from lakebed.cli.commands import archive
from lakebed.model.operation import Decision
from lakebed.transfer.plan import Planned

from .conftest import FakePlatform, Lakebed, summary
from .test_show import DECISIONS

DELETED = Planned(Decision.DELETE, "e.zip", 7, "not at the source")


def test_a_plan_says_what_would_be_deleted_and_what_would_fail(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    refused = Planned(Decision.FAIL, "f.zip", 9, "f.zip: the destination holds another revision")
    platform.decisions = [*DECISIONS, DELETED, refused]
    out = lakebed("sync", "-n", "--delete", "a:b", "c:d").out
    assert "delete          7 B  e.zip  (not at the source)\n" in out
    assert "fail            9 B  f.zip  (the destination holds another revision)\n" in out
    assert "1 copy, 1 skip, 1 changed, 1 extra, 1 delete, 1 fail\n2.0 KiB to copy\n" in out


@pytest.mark.parametrize(
    ("options", "decisions", "why"),
    [
        ([], [DELETED], "the source lists no object"),
        (["--max-delete", "0"], [*DECISIONS, DELETED], "--max-delete is 0"),
    ],
)
def test_a_plan_says_where_a_limit_would_keep_all(
    lakebed: Lakebed,
    platform: FakePlatform,
    options: list[str],
    decisions: list[Planned],
    why: str,
) -> None:
    platform.decisions = decisions
    arguments = ("plan", "--delete", *options, "a:b", "c:d")
    assert f"nothing would be deleted: {why}\n" in lakebed(*arguments).out
    told = json.loads(lakebed(*arguments, "--json").out.splitlines()[-1])
    assert told["nothing_deleted"] == why


@pytest.mark.parametrize(
    "line", ["sync a:b/x/ c:d", "verify a:b/x/ c:d", "plan a:b/x/ c:d", "ls a:b/x/"]
)
def test_a_source_that_lists_nothing_is_a_warning(
    lakebed: Lakebed, platform: FakePlatform, line: str
) -> None:
    platform.summary = replace(summary(), listed=0)
    ended = lakebed(*line.split())
    assert ended.code == 0
    assert ended.err.endswith("warning: the source lists no object under a:b/x/\n")


def test_filters_that_take_nothing_are_named_in_the_warning(
    lakebed: Lakebed, platform: FakePlatform
) -> None:
    platform.summary = replace(summary(), listed=0)
    err = lakebed("sync", "a:b/x/", "c:d", "--include", "*.zap").err
    assert err.endswith("warning: the source lists no object under a:b/x/ that the filters take\n")


def test_a_key_that_is_not_there_is_an_error(lakebed: Lakebed, platform: FakePlatform) -> None:
    ended = lakebed("ls", "a:b/x")
    assert (ended.code, ended.err) == (
        2,
        "lakebed: a:b/x: there is no such object (a folder's location ends in /)\n",
    )


@pytest.mark.parametrize("command", [["stores", "aws"], ["ls", "aws"], ["sync", "aws", "c:d"]])
def test_a_store_without_a_bucket_is_no_local_folder(lakebed: Lakebed, command: list[str]) -> None:
    ended = lakebed(*command)
    assert (ended.code, ended.err) == (
        2,
        "lakebed: aws: the location names no bucket (write aws:bucket/prefix/)\n",
    )


def test_what_was_asked_is_cut_to_the_width_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("COLUMNS", "12")
    output.table(["A", "WHAT"], [["x", "sync 币安 to d"], ["y", "sync"]])
    assert screen.getvalue() == "A  WHAT\nx  sync 币…\ny  sync\n"


def test_one_is_no_plural() -> None:
    assert (
        archive._line(Uploaded(pairs=1, objects=2, bytes=0)) == "Generated 1 pair, 2 objects, 0 B"
    )


def test_the_package_names_what_it_offers() -> None:
    assert set(library.__all__) <= set(dir(library))
