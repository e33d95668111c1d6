"""How commands and groups parse and show their help: options in groups, the exit codes below."""

import re
from typing import TYPE_CHECKING

from typer.core import TyperCommand, TyperGroup, TyperOption

from lakebed.cli.flatten import GIVEN
from lakebed.errors import EXIT_MEANING

if TYPE_CHECKING:
    from typer._click.core import Command as AnyCommand
    from typer._click.core import Context, Parameter
    from typer._click.formatting import HelpFormatter
    from typer._click.parser import _OptionParser

ARGUMENTS, PLAIN, COMMON = "Arguments", "Options", "Every command"
_RANGE = r"(?:x>=\d+|\d+<=x<=\d+)"
_NOISE = re.compile(rf"(; {_RANGE}(?=]))|(  \[{_RANGE}])|(  \[required])")
"""What anybody would guess, and bounds that nobody meets."""


class Command(TyperCommand):
    """One command."""

    def make_parser(self, ctx: "Context") -> "_OptionParser":
        """The parser, which also notes in which order options were given."""
        parser = super().make_parser(ctx)
        add = parser.parse_args

        def parse_args(args: list[str]) -> tuple[dict[str, object], list[str], list[object]]:
            values, rest, order = add(args)
            ctx.meta[GIVEN] = tuple(parameter.name or "" for parameter in order)
            return values, rest, list(order)

        setattr(parser, "parse_args", parse_args)  # noqa: B010
        return parser

    def collect_usage_pieces(self, ctx: "Context") -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        _write_parameters(self, ctx, formatter)

    def format_epilog(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        _write_exit_codes(formatter)


class Group(TyperGroup):
    """A command that holds others."""

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        self.format_commands(ctx, formatter)
        _write_parameters(self, ctx, formatter)

    def format_epilog(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        _write_exit_codes(formatter)


def _write_parameters(
    command: "AnyCommand", context: "Context", formatter: "HelpFormatter"
) -> None:
    for panel, records in panels(command, context).items():
        with formatter.section(panel):
            formatter.write_dl(records)


def panels(command: "AnyCommand", context: "Context") -> dict[str, list[tuple[str, str]]]:
    """The parameters of a command, as what to write and what it means, by their heading.

    What every command has comes last.
    """
    found: dict[str, list[tuple[str, str]]] = {ARGUMENTS: []}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            written, meaning = record
            if not isinstance(parameter, TyperOption):
                written = written.split(" <")[0]
            found.setdefault(_panel(parameter), []).append((written, _NOISE.sub("", meaning)))
    found[COMMON] = found.pop(COMMON, [])
    return {panel: records for panel, records in found.items() if records}


def _panel(parameter: "Parameter") -> str:
    if not isinstance(parameter, TyperOption):
        return ARGUMENTS
    return COMMON if parameter.name == "help" else parameter.rich_help_panel or PLAIN


def _write_exit_codes(formatter: "HelpFormatter") -> None:
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(code.value), text) for code, text in EXIT_MEANING.items()])
