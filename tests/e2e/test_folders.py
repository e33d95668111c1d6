"""Folders of this machine as source and destination of the real command."""

import signal
from collections.abc import Mapping
from pathlib import Path

from lakebed.errors import Exit
from tests.e2e.buckets import Bucket, pair, pairs
from tests.e2e.process import Lakebed

LARGE = 20 * 1024**2


def fill(folder: Path, content: Mapping[str, bytes]) -> None:
    for key, data in content.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def content_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_an_archive_on_disk_arrives_proved_and_is_not_copied_again(
    lakebed: Lakebed, destination: Bucket
) -> None:
    content = pairs(30) | pair("monthly/large.zip", bytes(LARGE)) | {"alone.csv": b"1,2\n"}
    fill(lakebed.folder / "archive", content)
    ends = ("./archive/", f"here:{destination.name}/in/")
    lakebed = lakebed.store("here", disable="unpack")  # other lanes, other proofs

    first = lakebed("sync", *ends, "--json")
    again = lakebed("sync", *ends, "--json")
    verified = lakebed("verify", *ends, "--json")

    assert (first.code, first.err) == (0, "")
    assert first.counts("copied", "failed") == (len(content), 0)
    assert first.summary["proofs"] == {"publisher-sha256": 31, "server-checksum": 32}
    assert destination.content() == {f"in/{key}": data for key, data in content.items()}
    assert again.counts("copied", "skipped") == (0, len(content))
    assert verified.summary["proofs"] == {"publisher-sha256": 31, "content-sha256": 32}


def test_a_bucket_comes_to_disk_proved_and_is_not_copied_again(
    lakebed: Lakebed, source: Bucket
) -> None:
    content = pairs(30) | pair("monthly/large.zip", bytes(LARGE))
    source.fill(content)
    ends = (f"here:{source.name}", "./some/copy/")

    planned = lakebed("plan", *ends, "--json")
    assert planned.summary["copy"] == len(content)
    assert not (lakebed.folder / "some").exists()
    first = lakebed("sync", *ends, "--json")
    again = lakebed("sync", *ends, "--json")
    verified = lakebed("verify", *ends, "--json")

    assert (first.code, first.err) == (0, "")
    assert first.summary["proofs"] == {"publisher-sha256": 31, "server-checksum": 31}
    assert first.summary["lanes"] == {"whole": 61, "stream": 1}
    assert content_of(lakebed.folder / "some/copy") == content
    assert again.counts("copied", "skipped") == (0, len(content))
    assert verified.summary["proofs"] == {"publisher-sha256": 31, "content-sha256": 31}


def test_an_archive_that_its_publisher_refuses_is_in_quarantine(
    lakebed: Lakebed, destination: Bucket
) -> None:
    content = pairs(3)
    content["daily/00001.zip"] += b"?"
    fill(lakebed.folder / "archive", content)

    up = lakebed("sync", "./archive/", f"here:{destination.name}", "--json")
    aside = lakebed("sync", "./archive/", "./copy/", "--json")

    for ended in (up, aside):
        assert ended.code == Exit.QUARANTINED
        assert ended.counts("copied", "quarantined") == (4, 2)
    good = {key: data for key, data in content.items() if "00001" not in key}
    assert destination.content() == good
    assert content_of(lakebed.folder / "copy") == good


def test_a_folder_is_copied_into_another_by_the_system_and_proved(lakebed: Lakebed) -> None:
    content = pairs(3) | pair("large.zip", bytes(LARGE)) | {"alone.csv": b"1,2\n"}
    fill(lakebed.folder / "archive", content)

    ended = lakebed("sync", "./archive/", f"file://{lakebed.folder}/copy/", "--json")

    assert (ended.code, ended.err) == (0, "")
    assert ended.summary["lanes"] == {"server-side": len(content)}
    assert ended.summary["proofs"] == {"publisher-sha256": 4, "size-only": 5}
    assert content_of(lakebed.folder / "copy") == content


def test_what_a_kill_left_is_resumed_from_another_folder(lakebed: Lakebed, source: Bucket) -> None:
    content = pairs(150)
    source.fill(content)
    with lakebed.started("sync", f"here:{source.name}", "./copy/", "--json") as running:
        operation = str(running.until("started")["operation_id"])
        running.until("copied", 60)
        running.signal(signal.SIGKILL)
        assert running.end().code == -signal.SIGKILL
    elsewhere = lakebed.folder / "elsewhere"
    elsewhere.mkdir()
    config = str(lakebed.folder / "lakebed.toml")
    there = Lakebed(elsewhere, {"XDG_STATE_HOME": str(lakebed.folder / "state")})

    ended = there("resume", operation, "--config", config, "--json")

    assert ended.code == 0, ended
    assert ended.counts("state", "copied", "failed", "pending") == ("completed", 300, 0, 0)
    # Where a file cannot be without a name, a kill may leave a hidden one.
    found = content_of(lakebed.folder / "copy")
    assert {key: data for key, data in found.items() if ".lakebed~" not in key} == content
