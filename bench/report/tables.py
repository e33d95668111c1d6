"""The tables of the page, as Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from bench.cases import CASES
from bench.cases.case import DOWN_AND_UP, FLOORS, Figure, Start
from bench.report.figures import OURS, Spread, middle, spread
from bench.report.plot import seconds
from bench.report.verdicts import State, Verdict, verdict
from bench.results import Environment, Measured, Results, Series

_COLUMNS = (
    *("", "wall, s", "client CPU, s", "stores' CPU, s", "peak, MB"),
    *("requests an object", "disk, MB", "proved how", "runs"),
)
_MARK = {State.MET: "met", State.NOISE: "**within noise**", State.NOT_MET: "**not met**"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def rivals(measured: Measured) -> str:
    """Everything measured of a case, the fastest first, those that failed last."""
    ordered = sorted(
        measured.series, key=lambda one: middle(measured, one.rival, Figure.WALL) or 1e9
    )
    return table(_COLUMNS, [_row(measured, series) for series in ordered])


def _row(measured: Measured, series: Series) -> list[str]:
    name = f"**{series.rival}**" if series.rival == OURS[0] else series.rival
    cells = [_spread(measured, series.rival, Figure.WALL)]
    cells += [_middle(measured, series.rival, one) for one in (Figure.CPU, Figure.STORES_CPU)]
    cells.append(_middle(measured, series.rival, Figure.MEMORY, 0))
    cells.append(_requests(measured, series))
    cells.append(_middle(measured, series.rival, Figure.DISK, 0))
    good = len(series.good)
    runs = str(good) if good == len(series.runs) else f"{good} of {len(series.runs)}"
    return [name, *cells, series.proof, runs]


def _spread(measured: Measured, rival: str, figure: Figure) -> str:
    found = spread(measured, rival, figure)
    if found is None:
        return "failed"
    if found.least == found.most:
        return seconds(found.middle)
    return f"{seconds(found.middle)} ({seconds(found.least)} to {seconds(found.most)})"


def _middle(measured: Measured, rival: str, figure: Figure, digits: int | None = None) -> str:
    value = middle(measured, rival, figure)
    if value is None:
        return ""
    return seconds(value) if digits is None else f"{value:.{digits}f}"


def _requests(measured: Measured, series: Series) -> str:
    """At the source and at the target; a lookup of what a median run asked for."""
    if not series.good or not measured.objects:
        return ""
    run = sorted(series.good, key=lambda one: one.requests)[len(series.good) // 2]
    source, target = (
        sum(asked.values()) / measured.objects
        for asked in (run.source_requests, run.target_requests)
    )
    return f"{source:.2f} + {target:.2f}"


def figures(measured: Measured) -> Iterator[str]:
    """What programs of ours measured themselves, medians with their spread."""
    for series in measured.series:
        names = dict.fromkeys(name for run in series.good for name in run.figures)
        if names:
            rows = [[name, _spread_of(series, name)] for name in names]
            yield table((series.rival, ""), rows)


def _spread_of(series: Series, name: str) -> str:
    values = [run.figures[name] for run in series.good if name in run.figures]
    found = Spread.of(values)
    least, middle, most = (f"{value:.4g}" for value in (found.least, found.middle, found.most))
    return middle if least == most else f"{middle} ({least} to {most})"


def bars(measured: Measured) -> str:
    """The bars of one case."""
    case = CASES[measured.case]
    return table(
        ("bar", "reached", "", ""),
        [_verdict(verdict(case, measured, bar)) for bar in case.bars],
    )


def _verdict(found: Verdict) -> list[str]:
    reached = "" if found.reached is None else f"{found.reached:.2f}"
    approximate = "about " if found.is_estimate else ""
    return [str(found.bar), approximate + reached, _MARK.get(found.state, found.state), found.why]


def all_bars(results: Results) -> str:
    """Every bar of every case, measured or not."""
    rows = []
    for case in CASES.values():
        measured = results.of(case.name)
        name = f"[{case.name}](#{case.name})" if measured else case.name
        for bar in case.bars:
            cells = _verdict(verdict(case, measured, bar)) if measured else [str(bar), "", "", ""]
            rows.append([name, *cells])
    return table(("case", "bar", "reached", "", ""), rows)


def claim(results: Results) -> str:
    """How much less time than down to disk, then up: the mission's own comparison."""
    rows = []
    for measured in results.cases:
        ours = middle(measured, OURS[0], Figure.WALL)
        case = CASES[measured.case]
        if ours is None or case.start is not Start.EMPTY or case.same_endpoint:
            continue
        theirs = [middle(measured, rival, Figure.WALL) for rival in DOWN_AND_UP]
        if any(theirs):
            rows.append([measured.case, *(_saved(ours, one) for one in theirs)])
    return table(("", *(f"than {rival}" for rival in DOWN_AND_UP)), rows)


def _saved(ours: float, theirs: float | None) -> str:
    if not theirs:
        return ""
    saved = 1 - ours / theirs
    return f"{saved:.0%} less" if saved >= 0 else f"{-saved:.0%} more"


def machines(results: Results) -> Iterator[str]:
    """What was measured on and with, and which cases."""
    known = [case.environment for case in results.cases if case.environment]
    for number, environment in enumerate(known):
        if environment not in known[:number]:
            cases = [case.case for case in results.cases if case.environment == environment]
            yield table(("", ""), [("cases", ", ".join(cases)), *_rows(environment)])


def _rows(environment: Environment) -> Iterator[tuple[str, str]]:
    """Rivals of one version share a row."""
    names: dict[str, list[str]] = {}
    for name, version in environment.versions.items():
        names.setdefault(version, []).append(name)
    yield from environment.machine.items()
    yield from ((", ".join(found), version) for version, found in names.items())


def behind(results: Results) -> list[str]:
    """Each figure in which another client is ahead, worst first in each case."""
    return [line for measured in results.cases for line in _behind(measured)]


def _behind(measured: Measured) -> Iterator[str]:
    if CASES[measured.case].ours != OURS[0]:
        return
    for figure in (Figure.WALL, Figure.CPU, Figure.MEMORY):
        ours = middle(measured, OURS[0], figure)
        others = (one.rival for one in measured.series if one.rival not in (*OURS, *FLOORS))
        found = [(value, name) for name in others if (value := middle(measured, name, figure))]
        ahead = [
            f"{name} {seconds(value)}" for value, name in sorted(found) if ours and value < ours
        ]
        if ours and ahead:
            yield f"{measured.case}, {figure}: lakebed {seconds(ours)}, {', '.join(ahead)}"
