"""The reference of the command line, made from the commands: `python -m lakebed.cli.reference`."""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from typer.core import TyperGroup
from typer.main import get_command

from lakebed.cli.app import build
from lakebed.cli.command import COMMON, panels
from lakebed.errors import EXIT_MEANING

if TYPE_CHECKING:
    from typer._click.core import Command as AnyCommand
    from typer._click.core import Context

    Found = tuple[AnyCommand, Context]

HEAD = """# Command line

Generated from the commands by `python -m lakebed.cli.reference > docs/cli.md`; do not edit.
Beside it: [configuration.md](configuration.md), [filters.md](filters.md) for `--include` and
`--exclude`, [events.md](events.md) for `--json`, [report.md](report.md) for `--report`.
"""
_BESIDE = re.compile(r"docs/([a-z]+\.md)")
"""A document as the help names it: the page stands beside it."""


def render() -> str:
    """The whole page, in Markdown."""
    root = get_command(build())
    found = list(_below(root, root.make_context("lakebed", [], resilient_parsing=True)))
    pages = [line for command, context in found for line in _page(command, context)]
    return "\n".join([HEAD, *_exit_codes(), *_every_command(found), *pages])


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield from _table(
        ("code", "meaning"), [(str(code.value), m) for code, m in EXIT_MEANING.items()]
    )


def _every_command(found: Sequence["Found"]) -> Iterator[str]:
    """The options that each command has, once, and who has them not."""
    of = {
        context.command_path: panels(command, context)[COMMON]
        for command, context in found
        if not isinstance(command, TyperGroup)
    }
    common = of["lakebed sync"]
    without = [f"`{path}`" for path, options in of.items() if options != common]
    yield "## Options of every command\n"
    yield from _table(("option", "meaning"), common)
    yield f"Of these {' and '.join(without)} has `--help` alone.\n"


def _below(command: "AnyCommand", context: "Context") -> Iterator["Found"]:
    """Each command and group below this one, in the order of the help."""
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            child = command.commands[name]
            its = child.make_context(name, [], parent=context, resilient_parsing=True)
            yield child, its
            yield from _below(child, its)


def _page(command: "AnyCommand", context: "Context") -> Iterator[str]:
    yield f"## {context.command_path}\n"
    yield f"```\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    for panel, records in panels(command, context).items():
        if panel != COMMON:
            yield f"### {panel}\n"
            yield from _table(("option", "meaning"), records)


def _table(headings: tuple[str, str], rows: list[tuple[str, str]]) -> Iterator[str]:
    yield f"| {headings[0]} | {headings[1]} |"
    yield "|---|---|"
    for written, meaning in rows:
        cells = (f"`{written}`", _BESIDE.sub(r"[\g<0>](\1)", meaning.replace("*", "\\*")))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


if __name__ == "__main__":
    print(render(), end="")
