"""The commands, by name."""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed import __version__
from lakebed.cli.command import Group
from lakebed.errors import Exit

if TYPE_CHECKING:
    from typer._click.core import Context

COMMANDS = (
    "sync",
    "plan",
    "verify",
    "ls",
    "operations",
    "report",
    "resume",
    "cancel",
    "quarantine",
    "uploads",
    "stores",
    "store",
    "archive",
    "config",
    "executor",
    "up",
    "status",
    "logs",
    "down",
    "keys",
    "audit",
    "version",
)
"""Modules of `lakebed.cli.commands`, in the order of the help."""


class Root(Group):
    """Commands in the order of the table above."""

    def list_commands(self, ctx: "Context") -> list[str]:
        return [name for name in COMMANDS if name in self.commands]


def build(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands: importing and describing one takes its time, and
    a process runs only one."""
    app = typer.Typer(
        cls=Root,
        help="Move archives from any S3 endpoint to any other, and prove every object.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    for name in commands:
        import_module(f"lakebed.cli.commands.{name}").register(app)
    app.callback(invoke_without_command=True)(lakebed)
    return app


def lakebed(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version, and exit.")
    ] = False,
) -> None:
    if show_version:
        typer.echo(f"lakebed {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(Exit.USAGE)
