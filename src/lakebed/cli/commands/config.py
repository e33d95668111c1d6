"""`lakebed config check | show | diff | history | rollback | schema`."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command, Group
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output
from lakebed.cli.output import emit, note, say, table
from lakebed.cli.session import set_log
from lakebed.errors import ConfigurationError, Exit, UsageError
from lakebed.report.text_report import counted, printable

if TYPE_CHECKING:
    from pydantic import JsonValue

    from lakebed.configurations.difference import Change
    from lakebed.configurations.history import History, Version
    from lakebed.configurations.rollback import RolledBack
    from lakebed.settings.layers import Sources

Environment = Annotated[
    str | None,
    typer.Option("--env", metavar="NAME", help="Instead of LAKEBED_ENV.", show_default=False),
]
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        metavar="NAME",
        help="An environment; twice: to compare two.",
        show_default=False,
    ),
]
Versions = Annotated[
    list[int] | None,
    typer.Argument(metavar="N", help="Versions, as in `lakebed config history`."),
]
Number = Annotated[int, typer.Argument(metavar="N", help="A version.", min=1)]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=500, help="How many.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_TEXT, _WIDE = 60, 12


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=Group, rich_markup_mode=None, help=_HELP)
    for command in (check, show, diff, history, rollback, schema):
        group.command(cls=Command)(flatten(command))
    app.add_typer(group, name="config")


_HELP = """What is configured, where it comes from, and what it was before.

Of a secret only the place where it is kept is ever shown."""


def check(output: Output, common: Common, env: Environment = None) -> None:
    """Say all that is wrong in the files and variables; exit code 2 where something is."""
    from lakebed.settings.check import check as verdict_of

    verdict = verdict_of(_sources(common, env))
    findings, errors = verdict.findings, len(verdict.errors)
    for finding in findings:
        if output.json:
            emit({"event": "finding", **asdict(finding)})
        else:
            say(f"{finding.level}: {printable(str(finding))}")
    if output.json:
        emit({"event": "checked", "errors": errors, "warnings": len(findings) - errors})
    elif not common.quiet:
        say(f"{counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}")
    if errors:
        raise typer.Exit(Exit.USAGE)


def show(output: Output, common: Common, env: Environment = None) -> None:
    """Show each value in force, and where it comes from."""
    from lakebed.configurations.effective import effective

    layers = _sources(common, env).read()
    values = effective(layers, layers.written())
    if output.json:
        for value in values:
            emit({"key": value.key, "value": value.value, "from": value.origin})
    else:
        rows = [(value.key, _cut(_text(value.value)), _short(value.origin)) for value in values]
        table(("KEY", "VALUE", "FROM"), rows)


def diff(
    output: Output, common: Common, versions: Versions = None, env: Environments = None
) -> None:
    """Show how two configurations differ.

    Without arguments, the version that was loaded last and the files as they are now. With one
    version, that and the files; with two, these. With --env, the environment that is chosen and
    that one; with two, these.
    """
    from lakebed.configurations.difference import changes

    before, after = _compared(common, versions or [], env or [])
    _show_changes(changes(before, after), output, common)


def history(output: Output, common: Common, limit: Limit = 50, env: Environment = None) -> None:
    """List the versions that services have loaded, the newest first."""
    with _history(_sources(common, env)) as versions:
        found = versions.versions(limit)
    if output.json:
        for version in found:
            emit(_record(version))
        return
    rows = [
        (
            str(version.number),
            _moment(version),
            version.author,
            version.environment or "-",
            version.sha256[:_WIDE],
        )
        for version in found
    ]
    table(("VERSION", "LOADED", "BY", "ENVIRONMENT", "SHA256"), rows, right=(0,))


def rollback(
    output: Output, common: Common, number: Number, env: Environment = None, yes: Yes = False
) -> None:
    """Write the files of a recorded version again.

    What is there now is recorded first, so that it can be gone back to. A service that runs takes
    the files over by itself.
    """
    from lakebed.configurations.difference import changes
    from lakebed.configurations.history import author
    from lakebed.configurations.rollback import places_of, roll_back

    sources = _sources(common, env)
    with _history(sources) as versions:
        version = versions.version(number)
        places_of(sources, version)
        try:
            found = changes(_content(sources), version.content)
        except ConfigurationError as wrong:
            note(f"what is there now is wrong, and is replaced: {printable(str(wrong))}")
        else:
            _show_changes(found, output, common)
        if not yes:
            _ask(version)
        done = roll_back(versions, sources, version, author())
    _show_rolled_back(done, version, output, common)


def schema(common: Common) -> None:
    """Print the JSON Schema of the files."""
    from lakebed.settings.schema import schema as schema_of

    say(json.dumps(schema_of(), indent=2, ensure_ascii=False))


def _sources(common: Common, env: str | None) -> "Sources":
    from lakebed.settings.layers import Sources

    set_log(common)
    sources = Sources(common.config, os.environ, Path.cwd())
    return sources if env is None else sources.of(env)


@contextmanager
def _history(sources: "Sources") -> "Iterator[History]":
    from lakebed.configurations.history import History
    from lakebed.database.engine import open_engine

    engine = open_engine(sources.ledger())
    try:
        yield History(engine)
    finally:
        engine.dispose()


Content = Mapping[str, "JsonValue"]


def _compared(
    common: Common, numbers: Sequence[int], environments: Sequence[str]
) -> tuple[Content, Content]:
    if len(numbers) > 2 or len(environments) > 2 or (numbers and environments):
        raise UsageError("compare what?", advice="write two versions, or two --env")
    here = _sources(common, None)
    if environments:
        first, *second = [here.of(name) for name in environments]
        before, after = (first, second[0]) if second else (here, first)
        return _content(before), _content(after)
    with _history(here) as versions:
        if not numbers:
            newest = versions.newest(here.environment)
            if newest is None:
                raise UsageError(
                    "no service has loaded a configuration yet",
                    advice="lakebed executor serve; or compare two --env",
                )
            return newest.content, _content(here)
        recorded = [versions.version(number).content for number in numbers]
    return recorded[0], recorded[1] if len(recorded) == 2 else _content(here)


def _content(sources: "Sources") -> Content:
    from lakebed.configurations.effective import contents, effective

    layers = sources.read()
    return contents(effective(layers, layers.written()))


def _show_changes(changes: "Sequence[Change]", output: Output, common: Common) -> None:
    if not (changes or output.json or common.quiet):
        say("no difference")
    for change in changes:
        if output.json:
            emit(asdict(change))
            continue
        for sign, value in (("-", change.before), ("+", change.after)):
            if value is not None:
                say(f"{sign} {printable(change.key)} = {_text(value)}")


def _ask(version: "Version") -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked", advice="write --yes")
    if not typer.confirm(f"Write the files of version {version.number}?", err=True):
        raise typer.Exit(Exit.USAGE)


def _show_rolled_back(
    done: "RolledBack", version: "Version", output: Output, common: Common
) -> None:
    written, removed, copies = (
        [str(path) for path in paths] for paths in (done.written, done.removed, done.copies)
    )
    kept = done.recorded.number if done.recorded else None
    if output.json:
        event = {"event": "rolled-back", "version": version.number, "kept": kept}
        emit({**event, "written": written, "removed": removed, "copies": copies})
    elif not common.quiet:
        say(f"version {version.number} is written: {', '.join(written)}")
        if removed:
            say(f"removed: {', '.join(removed)}")
        if kept is not None:
            say(f"what was there is version {kept}")
        elif copies:
            say(f"what was there is kept: {', '.join(copies)}")


def _record(version: "Version") -> dict[str, object]:
    return {
        "version": version.number,
        "loaded": _moment(version),
        "author": version.author,
        "environment": version.environment,
        "sha256": version.sha256,
        "files": list(version.files),
    }


def _moment(version: "Version") -> str:
    return f"{datetime.fromtimestamp(version.at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _text(value: "JsonValue") -> str:
    return printable(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"


def _short(origin: str) -> str:
    here = f"{Path.cwd()}/"
    return origin.removeprefix(here)
