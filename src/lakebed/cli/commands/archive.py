"""`lakebed archive generate LOCATION`."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command, Group
from lakebed.cli.display.display import Interval
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output, Place
from lakebed.cli.output import emit, note, say
from lakebed.cli.session import place, settings_of, stoppable
from lakebed.model.quantity import format_size, parse_size
from lakebed.report.text_report import counted

if TYPE_CHECKING:
    from lakebed.archive.spec import Spec
    from lakebed.archive.upload import Uploaded

SHAPE = "How much"
FAULTS = "What is wrong with it"
NOTE_SECONDS = 10.0


@dataclass(frozen=True)
class Shape:
    """The archive ends with the first of days, pairs and size that is reached."""

    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", help="The same seed, the same bytes.", rich_help_panel=SHAPE
        ),
    ] = 0
    days: Annotated[
        int | None,
        typer.Option(
            "--days",
            metavar="N",
            min=1,
            help="Days of each symbol; 1 where nothing bounds it.",
            rich_help_panel=SHAPE,
        ),
    ] = None
    pairs: Annotated[
        int | None,
        typer.Option(
            "--pairs", metavar="N", min=0, help="Archives at most.", rich_help_panel=SHAPE
        ),
    ] = None
    size: Annotated[
        str | None,
        typer.Option(
            "--size", metavar="SIZE", help="Bytes of archives, about.", rich_help_panel=SHAPE
        ),
    ] = None
    symbol: Annotated[
        list[str] | None,
        typer.Option("--symbol", metavar="NAME", help="Repeatable.", rich_help_panel=SHAPE),
    ] = None
    large: Annotated[
        str | None,
        typer.Option(
            "--large",
            metavar="SIZE",
            help="One more monthly file, of about this size.",
            rich_help_panel=SHAPE,
        ),
    ] = None


@dataclass(frozen=True)
class Faults:
    corrupt: Annotated[
        int,
        typer.Option(
            "--corrupt",
            metavar="N",
            min=0,
            help="Archives that are not what their CHECKSUM says.",
            rich_help_panel=FAULTS,
        ),
    ] = 0
    holes: Annotated[
        int,
        typer.Option("--holes", metavar="N", min=0, help="Files left out.", rich_help_panel=FAULTS),
    ] = 0
    halves: Annotated[
        int,
        typer.Option(
            "--halves",
            metavar="N",
            min=0,
            help="CHECKSUMs without their archive.",
            rich_help_panel=FAULTS,
        ),
    ] = 0
    replace: Annotated[
        int,
        typer.Option(
            "--replace",
            metavar="N",
            min=0,
            help="Only so many files, as their publisher would replace them.",
            rich_help_panel=FAULTS,
        ),
    ] = 0
    revision: Annotated[
        int,
        typer.Option(
            "--revision",
            metavar="N",
            min=2,
            help="Which replacement --replace makes.",
            rich_help_panel=FAULTS,
        ),
    ] = 2


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=Group, rich_markup_mode=None, help="Publishers' archives.")
    group.callback()(lambda: None)
    group.command(cls=Command)(flatten(generate))
    app.add_typer(group, name="archive")


def generate(location: Place, shape: Shape, faults: Faults, output: Output, common: Common) -> None:
    """Write an archive in Binance's format, for demos and tests.

    The same options make the same bytes, on any machine. The bucket is made where it is missing.
    """
    from lakebed.archive.upload import upload
    from lakebed.store.build import open_store

    where = place(location, common)
    spec = _spec(shape, faults)
    store = settings_of(common).store(where.store)
    with (
        stoppable(common) as (cancellation, _),
        closing(open_store(store, cancellation)) as opened,
    ):
        watch = _watch(common.quiet or output.json)
        uploaded = upload(spec, opened, where, cancellation, watch)
    if output.json:
        emit({"event": "summary", **asdict(uploaded)})
    elif not common.quiet:
        say(_line(uploaded))


def _spec(shape: Shape, faults: Faults) -> "Spec":
    from lakebed.archive.spec import SYMBOLS, Spec

    unbounded = shape.days is None and shape.pairs is None and shape.size is None
    return Spec(
        seed=shape.seed,
        days=1 if unbounded else shape.days,
        pairs=shape.pairs,
        bytes=parse_size(shape.size) if shape.size else None,
        symbols=tuple(shape.symbol) if shape.symbol else SYMBOLS,
        large=parse_size(shape.large) if shape.large else 0,
        **asdict(faults),
    )


def _watch(silent: bool) -> "Callable[[Uploaded], None]":
    interval = Interval(NOTE_SECONDS)
    interval.passed()

    def watch(uploaded: "Uploaded") -> None:
        if not silent and interval.passed():
            note(_line(uploaded))

    return watch


def _line(uploaded: "Uploaded") -> str:
    return (
        f"Generated {counted(uploaded.pairs, 'pair')}, {counted(uploaded.objects)}, "
        f"{format_size(uploaded.bytes)}"
    )
