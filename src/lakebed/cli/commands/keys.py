"""`lakebed keys create | list | revoke`."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from typing import TYPE_CHECKING, Annotated, Self

import typer

from lakebed.cli.command import Command, Group
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output
from lakebed.cli.output import emit, say, table
from lakebed.cli.session import session
from lakebed.errors import UsageError
from lakebed.model.quantity import parse_duration
from lakebed.report.json_report import moment

if TYPE_CHECKING:
    from lakebed.access.caller import Grant
    from lakebed.access.keys import Key
    from lakebed.access.permission import Role
    from lakebed.audit.log import Log
    from lakebed.operations.run import Platform
    from lakebed.settings import Settings

NEVER = "never"
PLACES = "*, store:, store:bucket or store:bucket/prefix/; repeatable"


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=Group, rich_markup_mode=None, help="Keys for callers of the executor.")
    group.command(cls=Command)(flatten(create))
    group.command("list", cls=Command)(flatten(list_))
    group.command(cls=Command)(flatten(revoke))
    app.add_typer(group, name="keys")


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who is to have it.")],
    output: Output,
    common: Common,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="See docs/access.md; repeatable."),
    ] = None,
    read: Annotated[
        list[str] | None,
        typer.Option("--read", metavar="PLACE", help=f"May be read: {PLACES}."),
    ] = None,
    write: Annotated[
        list[str] | None,
        typer.Option("--write", metavar="PLACE", help=f"May be read and written: {PLACES}."),
    ] = None,
    expires: Annotated[
        str, typer.Option("--expires", metavar="AGE", help="Valid for so long; or never.")
    ] = "90d",
) -> None:
    """Make a key. It is shown now, and never again."""
    from lakebed.access.keys import Keys

    seconds = None if expires == NEVER else parse_duration(expires)
    roles = [_role(one) for one in role or ()]
    if not roles:
        raise UsageError("a key without a role opens nothing", advice="say --role")
    with session(common) as opened:
        grants = _grants(opened.platform.settings, read or (), write or ())
        trail = _Trail.open(opened.platform)
        asked = trail.enter("asked keys create", name, _about(name, roles, grants))
        keys = Keys(opened.platform.ledger.engine)
        key, shown = keys.create(name, roles, grants, seconds, trail.actor)
        trail.enter("did keys create", key.id, {"asked": asked, **_known(key)})
    if output.json:
        emit({"event": "key", **_record(key), "key": shown})
    else:
        say(shown)


def list_(output: Output, common: Common) -> None:
    """List all keys that were ever made, the newest first. The keys themselves are kept nowhere."""
    from lakebed.access.keys import Keys

    with session(common) as opened:
        found = Keys(opened.platform.ledger.engine).list()
    if output.json:
        for key in found:
            emit({"event": "key", **_record(key)})
    elif found:
        table(("KEY", "NAME", "STATE", "EXPIRES", "ROLES", "GRANTS"), [_row(key) for key in found])
    elif not common.quiet:
        say("no keys")


def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="The middle part of a key.")],
    output: Output,
    common: Common,
) -> None:
    """Have a key open nothing more, at any replica, from now on."""
    from lakebed.access.keys import Keys

    with session(common) as opened:
        trail = _Trail.open(opened.platform)
        asked = trail.enter("asked keys revoke", key, {})
        revoked = Keys(opened.platform.ledger.engine).revoke(key)
        trail.enter("did keys revoke", revoked.id, {"asked": asked, **_known(revoked)})
    if output.json:
        emit({"event": "key", **_record(revoked)})
    elif not common.quiet:
        say(f"key {revoked.id} of {revoked.name} is revoked")


@dataclass(frozen=True, slots=True)
class _Trail:
    """The audit log: nothing opens more than a key. What cannot be entered before is not done."""

    log: "Log"
    actor: str

    @classmethod
    def open(cls, platform: "Platform") -> Self:
        """Raises ConfigurationError, LedgerError."""
        from lakebed.audit.log import Log
        from lakebed.settings.master import key_for

        key = key_for("audit", platform.settings, os.environ)
        return cls(Log.open(platform.ledger.engine, key), f"local:{getuser()}")

    def enter(self, action: str, subject: str, about: Mapping[str, object]) -> int:
        """The number of the entry. Raises LedgerError."""
        from lakebed.audit.entry import Fact

        return self.log.append([Fact(self.actor, action, subject, json.dumps(about))]).number


def _known(key: "Key") -> dict[str, object]:
    return _about(key.name, key.roles, key.grants)


def _about(name: str, roles: "Iterable[Role]", grants: "Iterable[Grant]") -> dict[str, object]:
    return {"name": name, "roles": sorted(roles), "grants": _placed(grants)}


def _placed(grants: "Iterable[Grant]") -> list[dict[str, object]]:
    return [{"place": grant.place, "write": grant.write} for grant in grants]


def _role(text: str) -> "Role":
    from lakebed.access.permission import Role

    try:
        return Role(text)
    except ValueError:
        raise UsageError("no such role", subject=text, advice=f"one of {', '.join(Role)}") from None


def _grants(
    settings: "Settings", read: "list[str] | tuple[()]", write: "list[str] | tuple[()]"
) -> "list[Grant]":
    from lakebed.access.caller import EVERYWHERE, Grant
    from lakebed.settings.access import check_place

    for place in (*read, *write):
        try:
            check_place(place)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if place != EVERYWHERE:
            settings.store(place.partition(":")[0])
    return [*(Grant(place) for place in read), *(Grant(place, write=True) for place in write)]


def _record(key: "Key") -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "state": _state(key),
        "roles": sorted(key.roles),
        "grants": _placed(key.grants),
        "created": moment(key.created),
        "created_by": key.created_by,
        "expires": moment(key.expires),
        "revoked": moment(key.revoked),
    }


def _row(key: "Key") -> tuple[str, ...]:
    expires = "never" if key.expires is None else f"{_day(key.expires):%Y-%m-%d %H:%M}"
    grants = ", ".join(f"{'rw' if grant.write else 'r'} {grant.place}" for grant in key.grants)
    return (key.id, key.name, _state(key), expires, ", ".join(sorted(key.roles)), grants)


def _state(key: "Key") -> str:
    return key.state(datetime.now(UTC).timestamp())


def _day(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
