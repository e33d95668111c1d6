"""The reference of the command line, made from the commands: `python -m lakebed.cli.reference`."""

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING

from typer.core import TyperGroup
from typer.main import get_command

from lakebed.cli.app import build
from lakebed.cli.command import COMMON, panels
from lakebed.errors import EXIT_MEANING

if TYPE_CHECKING:
    from typer._click.core import Command as AnyCommand
    from typer._click.core import Context

HEAD = """# Command line

Generated from the commands by `python -m lakebed.cli.reference > docs/cli.md`; do not edit.
"""


def render() -> str:
    """The whole page, in Markdown."""
    root = get_command(build())
    context = root.make_context("lakebed", [], resilient_parsing=True)
    pages = [page for path in _commands(root, context) for page in path]
    return "\n".join([HEAD, *_exit_codes(), *_every_command(root, context), *pages])


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield from _table(
        ("code", "meaning"), [(str(code.value), m) for code, m in EXIT_MEANING.items()]
    )


def _every_command(root: "AnyCommand", context: "Context") -> Iterator[str]:
    """The options that each command has, once."""
    assert isinstance(root, TyperGroup)
    some = root.commands["sync"]
    yield "## Options of every command\n"
    yield from _table(("option", "meaning"), panels(some, _child(some, "sync", context))[COMMON])


def _commands(command: "AnyCommand", context: "Context") -> Iterator[Iterator[str]]:
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            child = command.commands[name]
            yield from _commands(child, _child(child, name, context))
    else:
        yield _page(command, context)


def _child(command: "AnyCommand", name: str, parent: "Context") -> "Context":
    return command.make_context(name, [], parent=parent, resilient_parsing=True)


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
        cells = (f"`{written}`", meaning.replace("*", "\\*"))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


if __name__ == "__main__":
    print(render(), end="")
