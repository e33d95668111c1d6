"""Medians, spreads and verdicts."""

from dataclasses import replace

import pytest
from bench.cases import CASES
from bench.cases.case import BEST_RIVAL, Bar, Figure
from bench.report import tables
from bench.report.figures import Spread, best_rival, middle, spread
from bench.report.verdicts import State, Verdict, verdict
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.made import RUN, measured

CASE = CASES["small_pairs"]


@given(st.lists(st.floats(0.01, 1e4), min_size=1))
def test_a_median_lies_within_its_spread(values: list[float]) -> None:
    found = Spread.of(values)
    assert min(values) == found.least <= found.middle <= found.most == max(values)


def test_a_run_that_failed_is_no_part_of_a_figure() -> None:
    found = spread(measured({"lakebed": [4.0, 0.0, 6.0]}), "lakebed", Figure.WALL)
    assert found == Spread(5.0, 4.0, 6.0)


def test_a_rival_that_only_failed_has_no_figure() -> None:
    assert spread(measured({"mc": [0.0]}), "mc", Figure.WALL) is None
    assert middle(measured({}), "mc", Figure.WALL) is None


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        (Figure.WALL, 10.0),
        (Figure.CPU, 2.0),
        (Figure.STORES_CPU, 7.0),
        (Figure.MEMORY, 50.0),
        (Figure.REQUESTS, 2.01),
        (Figure.DISK, 2.0),
        (Figure.RATE, 10.0),
    ],
)
def test_each_figure_is_that_of_the_runs(figure: Figure, value: float) -> None:
    assert middle(measured({"lakebed": [RUN.wall]}), "lakebed", figure) == pytest.approx(value)


def test_a_figure_that_a_program_measured_is_one_of_those_runs_that_have_it() -> None:
    one = measured({"executor asked": [1.0, 2.0]})
    (series,) = one.series
    runs = (replace(series.runs[0], figures={"status p95, ms": 12.0}), series.runs[1])
    case = CASES["executor_status"]
    told = replace(one, case=case.name, series=(replace(series, runs=runs),))
    assert middle(told, series.rival, Figure.STATUS) == 12.0
    assert middle(told, series.rival, Figure.POST) is None
    found = [verdict(case, told, bar).state for bar in case.bars]
    assert found == [State.MET, State.UNKNOWN]
    assert "status p95, ms | 12" in "".join(tables.figures(told))


def test_neither_a_floor_nor_a_mode_of_ours_is_the_best_rival() -> None:
    ours = {"lakebed": [1.0], "traditional": [2.0], "bare loop": [0.5], "bare listings": [0.1]}
    assert best_rival(measured(ours), Figure.WALL) is None
    assert best_rival(measured({**ours, "mc": [9.0], "aws": [12.0]}), Figure.WALL) == "mc"


def _verdict(bar: Bar, **walls: list[float]) -> Verdict:
    return verdict(CASE, measured(walls), bar)


HALF = Bar(Figure.WALL, 0.5, "rclone")


@pytest.mark.parametrize(
    ("ours", "state"), [(5.0, State.MET), (5.4, State.NOISE), (5.6, State.NOT_MET)]
)
def test_a_bar_missed_by_less_than_noise_is_not_decided(ours: float, state: State) -> None:
    found = _verdict(HALF, lakebed=[ours], rclone=[10.0])
    assert (found.state, found.reached) == (state, ours / 10)


def test_a_rate_must_be_at_least_its_bar() -> None:
    bar = Bar(Figure.RATE, 45, at_least=True)
    assert _verdict(bar, lakebed=[2.0]).state is State.MET
    assert _verdict(bar, lakebed=[3.0]).state is State.NOT_MET
    assert _verdict(bar, lakebed=[2.3]).state is State.NOISE


def test_listings_and_a_probe_do_not_break_a_bar_of_requests_an_object() -> None:
    asked = replace(
        RUN,
        source_requests={"GetObject": 10_000, "ListObjectsV2": 10},
        target_requests={"PutObject": 10_004, "ListObjectsV2": 10},
    )
    one = measured({"lakebed": [1.0]})
    many = replace(one, objects=10_000, series=(replace(one.series[0], runs=(asked,)),))
    assert verdict(CASE, many, Bar(Figure.REQUESTS, 2.0)).state is State.MET
    assert verdict(CASE, many, Bar(Figure.REQUESTS, 1.5)).state is State.NOT_MET


def test_a_failed_run_of_ours_meets_no_bar() -> None:
    found = _verdict(HALF, lakebed=[1.0, 0.0], rclone=[10.0])
    assert (found.state, found.why) == (State.NOT_MET, "1 runs failed")
    assert _verdict(HALF, lakebed=[0.0], rclone=[10.0]).state is State.NOT_MET


def test_the_best_rival_is_named() -> None:
    found = _verdict(Bar(Figure.WALL, 1.1, BEST_RIVAL), lakebed=[10.0], mc=[10.0], rclone=[11.0])
    assert (found.state, found.why) == (State.MET, "mc")


def test_a_rival_that_failed_is_no_yardstick() -> None:
    found = _verdict(HALF, lakebed=[1.0], rclone=[0.0])
    assert (found.state, found.why) == (State.UNKNOWN, "no run of rclone that counts")


def test_a_bar_against_an_absent_rival_is_estimated_and_never_met() -> None:
    bar = Bar(Figure.WALL, 0.85, "juicefs")
    walls = {"lakebed": [1.0], "bare loop": [10.0]}
    found = verdict(CASE, replace(measured(walls), absent=("juicefs",)), bar)
    assert found.state is State.UNKNOWN
    assert found.is_estimate
    assert found.reached == pytest.approx(1 / 11.1)
    assert "estimated at 11.10 s" in found.why


def test_smaller_data_decides_no_bar() -> None:
    small = replace(measured({"lakebed": [1.0], "rclone": [10.0]}), scale=0.1)
    assert verdict(CASE, small, HALF).state is State.UNKNOWN


def test_an_absent_rival_without_an_estimate_is_said_to_be_absent() -> None:
    absent = replace(measured({"lakebed": [1.0]}), absent=("juicefs",))
    found = verdict(CASE, absent, Bar(Figure.MEMORY, 0.5, "juicefs"))
    assert found.why == "juicefs is not on this machine"
