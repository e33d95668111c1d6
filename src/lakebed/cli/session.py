"""What a command works with: the settings, the platform, the signals."""

import logging
import os
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lakebed.cli.options import Common, Network, Observe
from lakebed.cli.output import note
from lakebed.cli.request import with_network
from lakebed.cli.signals import Signals
from lakebed.errors import Exit, Interrupted, LakebedError, UsageError
from lakebed.model.location import Location
from lakebed.report.text_report import printable
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


def warn_of_nothing(source: Location | str, *, filtered: bool = False) -> None:
    """That all is done where there is nothing to do is true, and seldom what was meant."""
    taken = " that the filters take" if filtered else ""
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
