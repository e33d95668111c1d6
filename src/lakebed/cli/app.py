"""The commands, by name."""

from typing import TYPE_CHECKING, Annotated

import typer

from lakebed import __version__
from lakebed.cli.command import Group
from lakebed.cli.commands import (
    archive,
    cancel,
    ls,
    operations,
    plan,
    quarantine,
    report,
    resume,
    store,
    stores,
    sync,
    uploads,
    verify,
    version,
)
from lakebed.errors import Exit

if TYPE_CHECKING:
    from typer._click.core import Context

MODULES = (
    sync,
    plan,
    verify,
    ls,
    operations,
    report,
    resume,
    cancel,
    quarantine,
    uploads,
    stores,
    store,
    archive,
    version,
)


class Root(Group):
    """Commands in the order of the table above."""

    def list_commands(self, ctx: "Context") -> list[str]:
        return [module.__name__.rpartition(".")[2] for module in MODULES]


app = typer.Typer(
    cls=Root,
    help="Move archives from any S3 endpoint to any other, and prove every object.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

for module in MODULES:
    module.register(app)


@app.callback(invoke_without_command=True)
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
