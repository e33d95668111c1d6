"""What a command works with: the settings, the platform, the signals."""

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lakebed.cli.display import Display, choose
from lakebed.cli.exits import exit_of_error
from lakebed.cli.options import Common, Output, Report
from lakebed.cli.output import note
from lakebed.cli.signals import Signals
from lakebed.errors import LakebedError
from lakebed.model.operation import Kind, Summary
from lakebed.report.text_report import printable
from lakebed.store.cancellation import Cancellation

if TYPE_CHECKING:
    from lakebed.cli.platform import Platform
    from lakebed.settings import Settings


@dataclass(frozen=True, slots=True)
class Session:
    platform: "Platform"
    signals: Signals


def settings_of(common: Common) -> "Settings":
    """The configuration, with the log set up as it and the options say."""
    from lakebed.observe.log import configure, level_of
    from lakebed.settings import load

    configure(level_of(common.verbose, common.quiet, common.debug, "warning"))
    settings = load(common.config, os.environ, Path.cwd())
    configure(level_of(common.verbose, common.quiet, common.debug, settings.log))
    return settings


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
            raise typer.Exit(exit_of_error(error, signals)) from error


@contextmanager
def session(common: Common) -> Iterator[Session]:
    """The platform, for as long as the command uses it."""
    from lakebed.cli import platform

    settings = settings_of(common)
    with (
        stoppable(common) as (cancellation, signals),
        platform.open_platform(settings, cancellation) as opened,
    ):
        yield Session(opened, signals)


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
    kind: Kind = Kind.SYNC


def conduct(showing: Showing, act: "Callable[[Platform, Display], Summary]") -> None:
    """Run an operation, show it, report it, and exit with what the ledger says."""
    with session(showing.common) as opened:
        display = choose(showing.common, showing.output)
        with display:
            summary = act(opened.platform, display)
        ledger, operation_id = opened.platform.ledger, summary.operation_id
        if showing.report.report is not None:
            from lakebed.report import json_report

            json_report.write(showing.report.report, summary, ledger.failures(operation_id))
        display.finished(summary, ledger.failures(operation_id), showing.kind)
        if summary.message:
            complain(summary.message)
    from lakebed.operations.states import exit_code

    raise typer.Exit(exit_code(summary))
