"""Rivals and cases, as they are written down."""

import platform
from dataclasses import replace
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from bench.cases import CASES
from bench.cases.case import BEST_RIVAL, FLOORS, Case
from bench.machine import machine, versions
from bench.programs import MC
from bench.rivals import RIVALS
from bench.rivals.lakebed import Lakebed
from bench.rivals.rival import End, Job, Rival, first_line

from bench import programs
from lakebed.local.engines import minio
from lakebed.store.s3.credentials import Credentials

SECRET = "the-secret-of-this-run"
_MOVERS = [rival for name, rival in RIVALS.items() if name != "planning"]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(
        source=End("source", "http://127.0.0.1:1111", "from-here"),
        target=End("target", "http://127.0.0.1:2222", "to-there"),
        folder=tmp_path,
        credentials=Credentials("bench", SECRET),
    )


def _named(rival: Rival) -> str:
    return rival.name


@pytest.mark.parametrize("rival", _MOVERS, ids=_named)
@pytest.mark.parametrize("again", [False, True])
def test_each_rival_is_led_from_the_source_to_the_target(
    rival: Rival, job: Job, again: bool
) -> None:
    job = replace(job, again=again)
    told = [*rival.environment(job).values()]
    told += [argument for command in rival.commands(job) for argument in command]
    said = " ".join(told)
    for end in (job.source, job.target):
        assert end.bucket in said
        assert end.endpoint.removeprefix("http://") in said


@pytest.mark.parametrize("rival", _MOVERS, ids=_named)
def test_no_secret_is_among_the_arguments(rival: Rival, job: Job) -> None:
    assert SECRET not in repr(rival.commands(replace(job, workers=64)))
    assert SECRET not in repr(job)


@pytest.mark.parametrize("name", ["s5cmd", "aws"])
def test_inside_one_endpoint_the_store_copies_by_itself(name: str, job: Job) -> None:
    down, up = RIVALS[name].commands(job)
    assert job.down in " ".join(down)
    assert job.down in " ".join(up)
    inside = replace(job, target=replace(job.target, endpoint=job.source.endpoint))
    (only,) = RIVALS[name].commands(inside)
    assert job.down not in " ".join(only)


def test_rclone_names_one_remote_inside_one_endpoint(job: Job) -> None:
    inside = replace(job, target=replace(job.target, endpoint=job.source.endpoint))
    (command,) = RIVALS["rclone"].commands(inside)
    assert command[2:4] == ("source:from-here", "source:to-there")


def test_workers_set_by_hand_are_handed_on(job: Job) -> None:
    (command,) = RIVALS["bare loop"].commands(replace(job, workers=64))
    assert command[-1] == "--workers=64"


def test_aws_reads_its_workers_from_a_file(job: Job) -> None:
    assert RIVALS["aws"].environment(job) == {}
    settings = RIVALS["aws"].environment(replace(job, workers=64))["AWS_CONFIG_FILE"]
    assert "max_concurrent_requests = 64" in Path(settings).read_text(encoding="utf-8")


def test_lakebed_is_given_no_flag(job: Job) -> None:
    (command,) = RIVALS["lakebed"].commands(job)
    assert command[1:] == ("sync", "source:from-here/", "target:to-there/")


def test_a_capability_that_this_version_lacks_is_not_disabled(job: Job) -> None:
    known = Lakebed().environment(replace(job, disable=("copy", "no-such-thing")))
    assert known["LAKEBED_STORES__TARGET__DISABLE"] == "copy"
    assert "LAKEBED_STORES__TARGET__DISABLE" not in Lakebed().environment(job)


def test_how_lakebed_proved_and_moved_is_kept_of_what_it_says() -> None:
    log = "Copied 4 of 4\n  proved by   etag-md5 4\n  lanes       whole 4\n  operation   1ABC x\n"
    assert Lakebed().told(log) == "proved by etag-md5 4; lanes whole 4"
    assert RIVALS["rclone"].told(log) == ""
    assert RIVALS["planning"].told(" 10 M keys\n") == "10 M keys"


def test_planning_alone_asks_for_no_store(job: Job) -> None:
    (command,) = RIVALS["planning"].commands(job)
    assert command[-1] == "synthetic"


def test_a_program_that_is_not_there_has_no_version(tmp_path: Path) -> None:
    assert first_line("") is None
    assert first_line(str(tmp_path / "absent")) is None
    assert first_line("/bin/sh", "-c", "exit 3") is None
    assert first_line("/bin/sh", "-c", "echo one; echo two") == "one"


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_each_bar_is_against_somebody_who_runs(case: Case) -> None:
    assert set(case.rivals) <= RIVALS.keys()
    for bar in case.bars:
        assert bar.of in {*case.rivals, BEST_RIVAL, ""}
    for estimate in case.estimates:
        assert estimate.rival in case.rivals
        assert estimate.of in case.rivals


def test_the_floors_are_rivals_too() -> None:
    assert set(FLOORS) <= RIVALS.keys()


def test_the_machine_is_described_without_its_name() -> None:
    described = machine()
    assert described["memory"].endswith(" GiB")
    assert platform.node() not in " ".join([*described.values(), *versions().values()]).split()


def test_a_program_is_built_where_minio_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[tuple[object, ...]] = []

    def build(*given: object) -> str:
        built.append(given)
        return "built"

    monkeypatch.setattr(programs, "build", build)
    programs.main()
    assert built == [("mc", MC.module, MC.version, MC.path)]
    assert MC.path.parents[1] == minio.cached_binary().parents[1]


def test_the_benchmark_goes_on_without_a_program_that_cannot_be_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*given: object) -> str:
        raise CalledProcessError(1, "go", output="no such module")

    monkeypatch.setattr(programs, "build", fails)
    programs.main()
    assert "mc could not be built: no such module" in capsys.readouterr().err
