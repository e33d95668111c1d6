"""What a command works with: the settings, the platform, the signals."""

import logging
import os
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lakebed.cli.display import Display, choose
from lakebed.cli.options import Common, Network, Observe, Output, Report
from lakebed.cli.output import note
from lakebed.cli.request import with_network
from lakebed.cli.signals import Signals
from lakebed.errors import Exit, Interrupted, LakebedError, UsageError
from lakebed.model.location import Location
from lakebed.model.operation import Filters, OperationState, Summary
from lakebed.report.text_report import Told, printable
from lakebed.store.cancellation import Cancellation

if TYPE_CHECKING:
    from lakebed.observe.telemetry import Observer
    from lakebed.operations.run import Platform
    from lakebed.settings import Settings


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    platform: "Platform"
    signals: Signals


def settings_of(common: Common) -> "Settings":
    """The configuration, with the log set up as it and the options say."""
    from lakebed.settings import load

    set_log(common)
    settings = load(common.config, os.environ, Path.cwd())
    set_log(common, settings.log)
    return settings


def set_log(common: Common, configured: str = "warning") -> None:
    """Log from the level on that the options say, else from the configured one."""
    from lakebed.observe.log import configure, level_of

    configure(level_of(common.verbose, common.quiet, common.debug, configured))


def place(text: str, common: Common) -> Location:
    """The location that was typed; the name of a store alone is told from a local folder."""
    try:
        return Location.parse(text)
    except UsageError:
        stores: Collection[str] = ()
        if ":" not in text:
            with suppress(LakebedError):
                stores = settings_of(common).stores
        if text not in stores:
            raise
        advice = f"write {text}:bucket/prefix/"
        raise UsageError("the location names no bucket", subject=text, advice=advice) from None


def warn_of_nothing(source: Location, filters: Filters | None = None) -> None:
    """That all is done where there is nothing to do is true, and seldom what was meant."""
    taken = " that the filters take" if filters not in (None, Filters()) else ""
    _log.warning("the source lists no object under %s%s", source, taken)


@contextmanager
def stoppable(common: Common, grace: float | None = None) -> Iterator[tuple[Cancellation, Signals]]:
    """A cancellation that a signal stops, and in `grace` seconds the process.

    An error of ours leaves as a line and its exit code.
    """
    cancellation = Cancellation()
    with Signals(cancellation, grace) as signals:
        try:
            yield cancellation, signals
        except LakebedError as error:
            if common.debug:
                show_trace(error)
            complain(error)
            raise typer.Exit(_exit_of(error, signals)) from error


@contextmanager
def session(
    common: Common, network: Network | None = None, observe: Observe | None = None
) -> Iterator[Session]:
    """The platform, for as long as the command uses it; `observe` where it runs operations."""
    from lakebed.cli import platform

    settings = with_network(settings_of(common), network)
    with (
        stoppable(common) as (cancellation, signals),
        _observed(observe, settings) as observer,
        platform.open_platform(settings, cancellation, observer) as opened,
    ):
        yield Session(opened, signals)


def _address(listen: str | None) -> str | None:
    """Where metrics are served; nowhere where `off` is said."""
    return None if listen is None or listen.strip().lower() == "off" else listen


@contextmanager
def _observed(observe: Observe | None, settings: "Settings") -> "Iterator[Observer]":
    from lakebed.observe.observing import Exposure, observing
    from lakebed.observe.telemetry import UNOBSERVED

    if observe is None:
        yield UNOBSERVED
        return
    told = settings.observe
    exposure = Exposure(
        _address(observe.metrics_listen or told.metrics_listen),
        observe.metrics_file or told.metrics_file,
        told.traces,
    )
    with observing(exposure, os.environ) as observer:
        yield observer


def _exit_of(error: LakebedError, signals: Signals) -> Exit:
    if isinstance(error, Interrupted):
        return signals.exit_code or error.exit_code
    return error.exit_code


def complain(what: Exception | str) -> None:
    """One line on stderr."""
    from lakebed.observe.log import redact

    note(f"lakebed: {redact(printable(' '.join(str(what).split())))}")


def show_trace(error: Exception) -> None:
    from lakebed.observe.log import redact

    note(redact("".join(traceback.format_exception(error)).rstrip()))


@dataclass(frozen=True, slots=True)
class Showing:
    """How an operation is shown, and where its report goes."""

    common: Common
    output: Output
    report: Report
    network: Network
    observe: Observe


def conduct(showing: Showing, act: "Callable[[Platform, Display], Summary]") -> None:
    """Run an operation, show it, report it, and exit with what the ledger says."""
    from lakebed.report import file
    from lakebed.report.formats import Format, format_of, renderer

    path = showing.report.report
    if path is not None:
        # After hours of copying it would be late to hear of it.
        file.check(path)
    with session(showing.common, showing.network, showing.observe) as opened:
        display = choose(showing.common, showing.output)
        with display:
            summary = act(opened.platform, display)
        ledger, operation_id = opened.platform.ledger, summary.operation_id
        operation = ledger.get(operation_id)
        told = Told(operation.request.kind, resumed=operation.earlier_seconds > 0)
        display.finished(summary, ledger.failures(operation_id), told)
        if summary.state is OperationState.COMPLETED and not summary.listed:
            warn_of_nothing(operation.request.source, operation.request.options.filters)
        if summary.message:
            complain(summary.message)
        if path is not None:
            lines = renderer(format_of(path, Format.JSON))
            report = lines(ledger.report(operation_id), ledger.failures(operation_id))
            file.write(path, report, operation_id)
    from lakebed.operations.states import exit_code

    raise typer.Exit(exit_code(summary))
