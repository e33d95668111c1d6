"""How a running operation is shown; one sibling file for each way."""

import sys

from lakebed.cli.display.display import Display
from lakebed.cli.options import Common, Output

__all__ = ["Display", "choose"]


def choose(common: Common, output: Output) -> Display:
    """The way that options and terminal ask for."""
    if output.json:
        from lakebed.cli.display.events import Events

        return Events()
    if common.quiet:
        from lakebed.cli.display.quiet import Quiet

        return Quiet()
    if sys.stderr.isatty():
        from rich.console import Console

        from lakebed.cli.display.terminal import Terminal

        return Terminal(Console(stderr=True), objects=common.verbose > 0)
    from lakebed.cli.display.lines import Lines

    return Lines(objects=common.verbose > 0)
