"""Inside one real endpoint the store copies by itself; whatever s5cmd says, the ledger is true."""

import hashlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.location import Location
from lakebed.model.operation import Options, Outcome, Request, ServerSide, Summary
from lakebed.model.quantity import MIB
from lakebed.operations import ends
from lakebed.operations.rows import arrived_copies
from lakebed.operations.run import Platform
from lakebed.settings import Settings, StoreSettings
from lakebed.store.build import open_store
from lakebed.store.contract import Buffer, Properties, Store
from lakebed.store.s3 import s5cmd
from lakebed.store.wrappers.forwarding import Forwarding
from tests.e2e.buckets import Bucket, open_served, pair, pairs
from tests.e2e.process import Lakebed
from tests.faults import Change, Faulty
from tests.fixtures_stores import Served

BATCHES = Options(server_side=ServerSide.S5CMD)
ODD = (
    *("it's", '"q"', " lead", "trail ", "a*b?[c]", "{x,y}", "币/é", "new\nline", "50%", "1+1"),
    *("$HOME", "back\\slash", "tab\t", "#;&|", "~", "\N{PERSON WITH BALL}", "%2F", "-n"),
)


class Small(Forwarding):
    """A store whose single copies take no more than 5 MiB."""

    @property
    def properties(self) -> Properties:
        return replace(self._inner.properties, max_copy=5 * MIB)


class Inside:
    """Two buckets of one MinIO, and the platform that copies from one to the other."""

    def __init__(self, served: Served, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = open_served(served)
        self.source, self.destination = Bucket.create(self.store), Bucket.create(self.store)
        settings = StoreSettings(
            name="lake",
            endpoint=served.endpoint,
            access_key=SecretStr(served.access_key),
            secret_key=SecretStr(served.secret_key),
        )
        self.platform = Platform(Settings(state=folder, stores={"lake": settings}))
        self.wrap: Callable[[Store], Store] = lambda store: store
        monkeypatch.setattr(ends, "open_store", lambda *a, **k: self.wrap(open_store(*a, **k)))

    def sync(self, options: Options = BATCHES) -> Summary:
        return self.moved(self.source, self.destination, options)

    def moved(self, source: Bucket, destination: Bucket, options: Options) -> Summary:
        locations = Location("lake", source.name), Location("lake", destination.name)
        return self.platform.sync(Request(*locations, options=options))

    def close(self) -> None:
        self.store.close()
        self.platform.__exit__(None, None, None)

    def outcomes(self, summary: Summary) -> dict[str, Outcome]:
        engine = self.platform.ledger.engine
        return {one.key: one for one in arrived_copies(engine, summary.operation_id)}

    def assert_true(self, summary: Summary, content: dict[str, bytes]) -> None:
        """The destination holds `content`, and the ledger knows each object of it as it is."""
        assert self.destination.content() == content
        known = self.outcomes(summary)
        assert set(known) == set(content)
        for found in self.destination.listing():
            assert known[found.key].destination_etag == found.etag
            assert known[found.key].size == found.size
            digest = known[found.key].sha256
            assert digest in (None, hashlib.sha256(content[found.key]).hexdigest())


@pytest.fixture
def inside(
    minio_store: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Inside]:
    with closing(Inside(minio_store, tmp_path, monkeypatch)) as opened:
        yield opened


def objects(count: int) -> dict[str, bytes]:
    """So many under odd names, some of them archives with their sidecars."""
    found: dict[str, bytes] = {}
    for number in range(count):
        key = f"{number % 7}/{ODD[number % len(ODD)]}-{number:03}"
        data = f"content of {number}".encode() * (number % 50 + 1)
        found |= pair(f"daily/{number:03}.zip", data) if number % 10 == 0 else {key: data}
    return dict(list(found.items())[:count])


def test_real_batches_are_reconciled_with_the_ledger_object_by_object(inside: Inside) -> None:
    content = objects(300)
    inside.source.fill(content)
    changed, missing = "1/it's-036", "4/new\nline-025"
    assert {changed, missing} <= set(content)

    def meanwhile() -> None:
        inside.source.put(changed, b"replaced between listing and copying")
        inside.store.delete(inside.source.name, missing)

    def disturbed(store: Store) -> Store:
        faulty = Faulty(store)
        faulty.inject(Change(meanwhile), "copy_many")
        return faulty

    inside.wrap = disturbed
    summary = inside.sync()

    del content[missing]
    content[changed] = b"replaced between listing and copying"
    inside.assert_true(summary, content)
    assert (summary.copied, summary.failed) == (299, 1)
    lanes = {key: str(one.lane) for key, one in inside.outcomes(summary).items()}
    assert lanes[changed] == "server-side"
    alone = {key for key, lane in lanes.items() if lane == "server-side"}
    # A line break would end a batch; and blanks s5cmd writes as `+`, which MinIO takes for one.
    assert alone == {changed} | {k for k in content if " " in k or not k.isprintable()}
    assert summary.lanes == {"server-side-batch": 299 - len(alone), "server-side": len(alone)}
    assert summary.proofs["publisher-sha256"] == sum(key.endswith(".zip") for key in content)


HEAD = f"""#!{sys.executable}
import json, shlex, subprocess, sys
lines = sys.stdin.read().splitlines()
def copy(lines):
    done = subprocess.run([{{real!r}}, *sys.argv[1:]], input="\\n".join(lines), text=True,
                          capture_output=True)
    sys.stdout.write(done.stdout)
def claim(lines):
    for line in lines:
        said = dict(operation="cp", success=True, destination=shlex.split(line)[5])
        print(json.dumps(said))
"""
SKIPS = "copy(lines[::2])\n"
SAYS_SO = "claim(lines)\n"
SPOILS = (
    "source = shlex.split(lines[0])[4]\n"
    "copy([f'cp --raw {source} {shlex.split(line)[5]}' for line in lines])\n"
)
CRASHES = "copy(lines[::2])\nsys.stdout.flush()\nsys.exit(7)\n"
BOTH = {"server-side-batch", "server-side"}


@pytest.mark.parametrize(
    ("script", "lanes"),
    [(SKIPS, BOTH), (SAYS_SO, {"server-side"}), (SPOILS, BOTH), (CRASHES, {"server-side"})],
    ids=["skips lines and exits 0", "says so only", "copies another object", "crashes"],
)
def test_whatever_s5cmd_does_and_says_the_ledger_stays_true(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, lanes: set[str]
) -> None:
    fake = tmp_path / "s5cmd"
    fake.write_text(HEAD.format(real=s5cmd.find()) + script)
    fake.chmod(0o755)
    monkeypatch.setattr(s5cmd, "find", lambda: str(fake))
    content = {f"{number:02}": f"content of {number}".encode() for number in range(40)}
    inside.source.fill(content)

    summary = inside.sync()

    inside.assert_true(summary, content)
    assert summary.state == "completed"
    assert set(summary.lanes) == lanes


def test_without_s5cmd_the_api_copies_and_a_line_says_why(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(s5cmd, "find", lambda: None)
    content = objects(20)
    inside.source.fill(content)
    with caplog.at_level(logging.WARNING):
        summary = inside.sync()
    inside.assert_true(summary, content)
    assert summary.lanes == {"server-side": 20}
    assert [r.getMessage() for r in caplog.records if "s5cmd is not installed" in r.getMessage()]
    assert "s5cmd is not installed" in str(summary.note)


def test_what_lakebed_brought_is_copied_on_without_being_read(inside: Inside) -> None:
    publisher = Bucket.create(inside.store)
    content = pair("daily/a.zip", b"candles" * 100) | pair("daily/b.zip", b"trades" * 90)
    publisher.fill(content)
    inside.moved(publisher, inside.source, Options())
    stores: list[Faulty] = []

    def watched(store: Store) -> Store:
        stores.append(Faulty(store))
        return stores[-1]

    inside.wrap = watched
    summary = inside.sync(Options())

    inside.assert_true(summary, content)
    assert summary.proofs == {"publisher-sha256": 2, "etag-md5": 2}
    for key in content:
        assert [verb for store in stores for verb, _, of in store.calls if of == key] == ["copy"]


@pytest.mark.parametrize("algorithm", [None, Algorithm.CRC64NVME])
def test_more_than_one_copy_takes_is_copied_in_parts(
    inside: Inside, algorithm: Algorithm | None
) -> None:
    data = bytes(range(251)) * (12 * MIB // 251)
    upload = inside.store.create_upload(inside.source.name, "large.bin", algorithm=algorithm)
    parts = []
    for number, start in enumerate(range(0, len(data), 5 * MIB), start=1):
        piece = data[start : start + 5 * MIB]
        checksum = Checksum.of(algorithm, piece) if algorithm else None
        body = Buffer((piece,))
        parts.append(
            inside.store.upload_part(
                inside.source.name, "large.bin", upload, number, body, checksum=checksum
            )
        )
    whole = Checksum.of(algorithm, data) if algorithm else None
    inside.store.complete_upload(inside.source.name, "large.bin", upload, parts, checksum=whole)
    content = pair("daily/large.zip", data[::-1]) | {"large.bin": data}
    inside.source.fill(pair("daily/large.zip", data[::-1]))
    inside.wrap = Small

    summary = inside.sync(Options())

    inside.assert_true(summary, content)
    known = inside.outcomes(summary)
    assert summary.lanes == {"server-side-parts": 2, "server-side": 1}
    # MinIO computes no checksum of the parts that it copies itself: the ETag says it.
    assert known["large.bin"].proof == "etag-md5"
    assert known["daily/large.zip"].proof == "size-only"
    assert known["daily/large.zip"].sha256 == hashlib.sha256(data[::-1]).hexdigest()
    for key in content:
        assert inside.store.list_uploads(inside.destination.name, key) == []


def test_the_command_copies_in_batches_and_says_by_which_lane(
    lakebed: Lakebed, source: Bucket, destination: Bucket
) -> None:
    content = pairs(20)
    source.fill(content)
    locations = (f"here:{source.name}", f"here:{destination.name}")
    ended = lakebed("sync", *locations, "--server-side", "s5cmd", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.summary["lanes"] == {"server-side-batch": 40}
    assert destination.content() == content
