"""A session on two real MinIO servers, from data to page."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from bench.__main__ import main
from bench.cases import CASES
from bench.cases.case import Start
from bench.check import listing
from bench.counters import Spent
from bench.data import MIB, Dataset
from bench.loading import load
from bench.report.page import KEPT, PAGE
from bench.results import Measured, read
from bench.session import Session, Size
from bench.shaping import ceiling
from bench.stores import Stores, serve

from bench import launcher
from lakebed.errors import ConfigurationError
from lakebed.local import engines


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    try:
        engines.choose("minio")
    except ConfigurationError as absent:
        pytest.skip(str(absent))
    with serve(tmp_path_factory.mktemp("bench")) as served:
        yield served


def _launched(folder: Path, *commands: list[str], deadline: float = 60.0) -> dict[str, float]:
    order = launcher.Order(
        commands=list(commands),
        environment={"PATH": "/usr/bin:/bin"},
        folder=str(folder),
        log=str(folder / "log"),
        deadline=deadline,
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-S", launcher.__file__],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=True,
    )
    cost: dict[str, float] = json.loads(ended.stdout)
    return cost


def test_commands_run_in_order_until_one_fails(tmp_path: Path) -> None:
    shell = ["/bin/sh", "-c"]
    cost = _launched(
        tmp_path, [*shell, "echo one"], [*shell, "echo two >&2; exit 3"], [*shell, "echo three"]
    )
    assert cost["status"] == 3
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_a_command_beyond_its_deadline_is_ended(tmp_path: Path) -> None:
    assert _launched(tmp_path, ["/bin/sleep", "60"], deadline=0.05)["status"] == 124


def test_what_a_grandchild_uses_is_counted(tmp_path: Path) -> None:
    uses = "x = b'x' * (80 << 20); [n * n for n in range(300_000)]"
    inner = f'{sys.executable} -I -S -c "{uses}"'
    cost = _launched(tmp_path, ["/bin/sh", "-c", f"{inner}; true"])
    assert cost["peak"] > 80 << 20
    assert cost["user"] + cost["system"] > 0


def test_memory_of_whoever_measures_is_not_counted(tmp_path: Path) -> None:
    assert _launched(tmp_path, ["/bin/true"])["peak"] < 30_000_000


def test_a_data_set_arrives_with_its_checksums(stores: Stores) -> None:
    dataset = Dataset("arrives", (10, 1000, 2 * MIB, 16))
    store = stores.source.store
    store.create_bucket(dataset.name)
    before = Spent.by(stores.source)
    load(dataset, store, dataset.name)
    found = listing(store, dataset.name)
    for archive in dataset.archives():
        for key, body in (
            (archive.key, b"".join(archive.chunks())),
            (f"{archive.key}.CHECKSUM", archive.checksum()),
        ):
            pieces: list[bytes] = []
            store.get(dataset.name, key, pieces.append)
            assert b"".join(pieces) == body
            assert found.pop(key).size == len(body)
    assert not found
    spent = Spent.by(stores.source).since(before)
    assert spent.requests["GetObject"] == dataset.objects
    assert spent.cpu >= 0


def test_the_proxy_tells_what_it_can_pass(stores: Stores) -> None:
    dataset = Dataset("ceiling", (16,) * 20)
    stores.source.store.create_bucket(dataset.name)
    load(dataset, stores.source.store, dataset.name)
    assert ceiling(stores, dataset.name) > 0


def _assert_complete(measured: Measured) -> None:
    for series in measured.series:
        assert [run.problem for run in series.runs] == [""], series.rival


@pytest.mark.long
def test_one_command_leads_from_data_to_a_page(
    stores: Stores,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # The stores of its own would be one more start of two servers.
    monkeypatch.setattr("bench.__main__.serve", lambda folder: nullcontext(stores))
    monkeypatch.setattr("bench.__main__.signal.signal", lambda number, handler: None)
    told = ["--cases", "small_pairs", "--rivals", "lakebed", "bare loop", "--scale", "0.002"]
    monkeypatch.setattr(sys, "argv", ["bench", *told, "--repeat", "1", "--out", str(tmp_path)])
    main()
    assert "warm-up, bare loop" in capsys.readouterr().out
    assert "| **lakebed** |" in (tmp_path / PAGE).read_text(encoding="utf-8")
    (measured,) = read(tmp_path / KEPT).cases
    _assert_complete(measured)
    assert [series.rival for series in measured.series] == ["lakebed", "bare loop"]
    assert measured.objects == 20
    ours = measured.series[0].runs[0]
    assert ours.source_requests["GetObject"] == 20
    assert ours.peak > 10_000_000
    assert "publisher-sha256 10" in ours.note
    assert not list(stores.target.data.glob("small-pairs-*"))


@pytest.mark.long
@pytest.mark.parametrize("name", ["nothing_10k", "nothing_200k", "limited_source", "same_endpoint"])
def test_each_kind_of_case_ends_with_everything_in_place(
    name: str, stores: Stores, tmp_path: Path
) -> None:
    size = Size(1, 0.002, ("lakebed", "bare loop", "bare listings"))
    measured = Session(stores, tmp_path, size, print).measured(CASES[name])
    _assert_complete(measured)
    requests = measured.series[0].runs[0].source_requests
    assert bool(requests.get("CopyObject")) == (name == "same_endpoint")
    if CASES[name].start is not Start.EMPTY:
        assert all("GetObject" not in one.runs[0].source_requests for one in measured.series)
