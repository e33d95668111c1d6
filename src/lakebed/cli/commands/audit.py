"""`lakebed audit verify`, `lakebed audit list`, `lakebed audit head`."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command, Group
from lakebed.cli.flatten import flatten
from lakebed.cli.options import MANY, Common, Output
from lakebed.cli.output import emit, say, table
from lakebed.cli.session import session
from lakebed.errors import AuditBroken

if TYPE_CHECKING:
    from lakebed.audit.entry import Entry

Heads = Annotated[
    list[Path] | None,
    typer.Option("--head", metavar="FILE", help="Compare with the heads exported to this file."),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=Group, rich_markup_mode=None, help=_HELP)
    group.command(cls=Command)(flatten(verify))
    group.command("list", cls=Command)(flatten(list_))
    group.command(cls=Command)(flatten(head))
    app.add_typer(group, name="audit")


_HELP = """What the executor was asked to write, and what it refused.

Each entry is chained to the one before by a key outside of the database."""


def verify(output: Output, common: Common, heads: Heads = None) -> None:
    """Find what was changed, removed, put in or moved, and a tail that was cut.

    Ends with 3 where the log is not as it was written, and names the first entry that is wrong.
    """
    with session(common) as opened:
        from lakebed.audit.heads import exported, heads_of
        from lakebed.audit.log import entries
        from lakebed.audit.verify import verify as verdict_of
        from lakebed.settings.master import key_for

        settings = opened.platform.settings
        # Heads before entries: what is appended meanwhile is no tail that was cut.
        known = [
            head
            for path in heads or [heads_of(settings)]
            for head in exported(path, is_named=bool(heads))
        ]
        key = key_for("audit", settings, os.environ)
        found = verdict_of(key, entries(opened.platform.ledger.engine), known)
        if output.json:
            told = {"entries": found.entries, "heads": found.heads, "wrong": found.wrong or None}
            emit({"event": "verified", **told, "number": found.number or None})
        if found.wrong:
            raise AuditBroken(
                found.wrong,
                subject=f"audit entry {found.number}",
                advice=f"the {found.entries} before it are whole; where the heads are of another "
                "database, name the right file with --head",
            )
    if not (output.json or common.quiet):
        say(f"{found.entries} entries are whole, {found.heads} exported heads agree")
        if not found.heads:
            say("without an exported head, a tail that was cut is not found")


def list_(
    output: Output,
    common: Common,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=MANY, help="At most.")
    ] = 50,
) -> None:
    """List the last entries, the newest at the end."""
    with session(common) as opened:
        from lakebed.audit.log import newest

        found = newest(opened.platform.ledger.engine, limit)
    if output.json:
        for entry in found:
            if not emit(_record(entry)):
                return
    elif found:
        table(("number", "at", "actor", "action", "subject", "detail"), [_row(e) for e in found])
    elif not common.quiet:
        say("no entries")


def head(output: Output, common: Common) -> None:
    """Print the number, the code and the time of the last entry, to be kept elsewhere."""
    with session(common) as opened:
        from lakebed.audit.heads import Head
        from lakebed.audit.log import newest

        last = [Head.of(entry) for entry in newest(opened.platform.ledger.engine, 1)]
    if output.json:
        for one in last:
            say(one.to_json())
    elif last:
        say(f"{last[0].number}  {last[0].mac}  {_time(last[0].at)}")
    elif not common.quiet:
        say("no entries")


def _record(entry: "Entry") -> dict[str, object]:
    fact = entry.fact
    return {
        "number": entry.number,
        "at": datetime.fromtimestamp(entry.at, UTC).isoformat(),
        "actor": fact.actor,
        "action": fact.action,
        "subject": fact.subject,
        "detail": json.loads(fact.detail),
        "mac": entry.mac.hex(),
    }


def _row(entry: "Entry") -> tuple[str, ...]:
    fact = entry.fact
    return (str(entry.number), _time(entry.at), fact.actor, fact.action, fact.subject, fact.detail)


def _time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"
