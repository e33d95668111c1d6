"""The page: what is between its markers is made from the results, the rest is written by hand."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.cases import CASES
from bench.report import tables
from bench.report.plot import plot
from bench.results import Measured, Results, read, write

_BETWEEN = re.compile(r"(?<=<!-- results -->\n).*?(?=<!-- end -->)", re.DOTALL)
DOCUMENTS = Path(__file__).parents[2] / "docs"
PAGE, KEPT, PLOTS = "benchmarks.md", "benchmarks.json", "benchmarks"
"""The page, and beside it all runs of all cases, and the folder of the plots."""


def renewed(page: str, results: Results) -> str:
    """`page` with what these results say between its markers."""
    made = "\n".join(_sections(results))
    return _BETWEEN.sub(lambda _: f"\n{made}\n", page)


def plots(results: Results) -> dict[str, str]:
    """The SVG of each case that moved something, by the name of its file."""
    return {
        f"{measured.case}.svg": plot(CASES[measured.case].title, measured)
        for measured in results.cases
        if len(measured.series) > 1
    }


def publish(folder: Path, results: Results) -> Path:
    """Keep results in a folder with their page and plots; the page.

    Older cases that these lack stay. A folder without a page gets that of the
    documents.
    """
    kept, page = folder / KEPT, folder / PAGE
    if kept.is_file():
        results = read(kept).renewed(results)
    results = replace(results, cases=tuple(filter(None, map(results.of, CASES))))
    write(kept, results)
    text = (page if page.is_file() else DOCUMENTS / PAGE).read_text(encoding="utf-8")
    page.write_text(renewed(text, results), encoding="utf-8")
    (folder / PLOTS).mkdir(exist_ok=True)
    for name, drawing in plots(results).items():
        (folder / PLOTS / name).write_text(drawing, encoding="utf-8")
    return page


def _sections(results: Results) -> Iterator[str]:
    scales = sorted({measured.scale for measured in results.cases} - {1.0})
    if scales:
        yield f"> Made at scale {scales[0]:g}: it shows that the harness works, not how fast.\n"
    if not results.cases:
        yield "> Nothing has been measured yet.\n"
    yield "## The bars\n"
    yield tables.all_bars(results)
    if results.cases:
        yield from _comparisons(results)
    for measured in results.cases:
        yield from _case(measured)


def _comparisons(results: Results) -> Iterator[str]:
    yield "## Less time than download, then upload\n"
    yield (
        "Of the cases in which bytes move from one store to another; `traditional` is Lakebed's "
        "own way by disk. Of small_whole, whose objects are those of small_pairs, and of "
        "limited_source, whose time is the limit's, not all three were run.\n"
    )
    yield tables.claim(results)
    yield "## Where others are ahead\n"
    yield "".join(f"- {line}\n" for line in tables.behind(results)) or "Nowhere in these runs.\n"
    yield "## The machines\n"
    yield from tables.machines(results)


def _case(measured: Measured) -> Iterator[str]:
    case = CASES[measured.case]
    yield f"## {measured.case}\n"
    runs = max((len(one.runs) for one in measured.series), default=0)
    if measured.objects:
        yield (
            f"{case.title}: {measured.objects:,} objects, {measured.bytes / 1e6:,.0f} MB, "
            f"{runs} runs of each; the case took {measured.seconds / 60:.0f} minutes.\n"
        )
    else:
        yield f"{case.title}.\n"
    if len(measured.series) > 1:
        yield f"![{case.title}: wall and client CPU of each]({PLOTS}/{measured.case}.svg)\n"
    if measured.series:
        yield tables.rivals(measured)
    yield from tables.figures(measured)
    if case.bars:
        yield tables.bars(measured)
    absent = f"Not on this machine: {', '.join(measured.absent)}." if measured.absent else ""
    remarks = " ".join(filter(None, (case.note, measured.note, absent)))
    if remarks:
        yield f"{remarks}\n"
    yield from _told(measured)


def _told(measured: Measured) -> Iterator[str]:
    """What the rivals said of their last run, and why runs failed."""
    for series in measured.series:
        last = series.runs[-1].note if series.runs else ""
        if "\n" in last:
            yield f"```text\n{last}\n```\n"
        elif last:
            yield f"{series.rival}: {last}.\n"
        for problem in sorted({run.problem for run in series.runs} - {""}):
            yield f"{series.rival} failed: `{' '.join(problem.split())[:200]}`\n"
