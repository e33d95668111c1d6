"""Whether a bar was reached, and where it cannot be told, why not."""

from dataclasses import dataclass
from enum import StrEnum

from bench.cases.case import BEST_RIVAL, Bar, Case, Estimate
from bench.report.figures import best_rival, middle
from bench.results import Measured

NOISE = 0.10
"""A bar missed by less than this part of itself is not decided: runs differ by as much."""


class State(StrEnum):
    MET = "met"
    NOISE = "within noise"
    NOT_MET = "not met"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Verdict:
    bar: Bar
    reached: float | None
    state: State
    why: str = ""
    is_estimate: bool = False


def verdict(case: Case, measured: Measured, bar: Bar) -> Verdict:
    """Ratios are of medians of one session, whose rivals ran in turn."""
    ours = middle(measured, case.ours, bar.figure)
    series = measured.of(case.ours)
    failed = len(series.runs) - len(series.good) if series else 0
    if ours is None:
        return Verdict(bar, None, State.NOT_MET if failed else State.UNKNOWN, "no run that counts")
    if measured.scale != 1:
        return Verdict(bar, None, State.UNKNOWN, f"the data was smaller: scale {measured.scale:g}")
    if not bar.of:
        reached = ours
    elif theirs := middle(measured, bar.of, bar.figure):
        reached = ours / theirs
    else:
        return _estimated(case, measured, bar, ours)
    why = f"{failed} runs failed" if failed else ""
    if bar.of == BEST_RIVAL:
        why = f"{best_rival(measured, bar.figure)} {why}".strip()
    state = State.NOT_MET if failed else _state(bar, reached)
    return Verdict(bar, reached, state, why)


def _state(bar: Bar, reached: float) -> State:
    # One decimal decides a count: a bucket's probe and its listings are no requests an object.
    excess = bar.limit / reached if bar.at_least else round(reached, 2) / bar.limit
    if excess <= 1:
        return State.MET
    return State.NOISE if excess <= 1 + NOISE else State.NOT_MET


def _estimated(case: Case, measured: Measured, bar: Bar, ours: float) -> Verdict:
    absent = f"{bar.of} is not on this machine"
    if bar.of not in measured.absent:
        return Verdict(bar, None, State.UNKNOWN, f"no run of {bar.of} that counts")
    found = [one for one in case.estimates if (one.rival, one.figure) == (bar.of, bar.figure)]
    theirs = _theirs(found[0], measured) if found else None
    if theirs is None:
        return Verdict(bar, None, State.UNKNOWN, absent)
    reached = ours / theirs
    why = (
        f"{absent}; estimated at {theirs:.2f} s, {found[0].factor:g} of {found[0].of}, "
        f"as both ran earlier on such a machine: {_state(bar, reached)}"
    )
    return Verdict(bar, reached, State.UNKNOWN, why, is_estimate=True)


def _theirs(estimate: Estimate, measured: Measured) -> float | None:
    other = middle(measured, estimate.of, estimate.figure)
    return other and estimate.factor * other
