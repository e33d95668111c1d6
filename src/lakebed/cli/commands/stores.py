"""`lakebed stores [LOCATION]...`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command
from lakebed.cli.engine import StoreShown, engine
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output, Remote
from lakebed.cli.output import emit, say, table
from lakebed.cli.session import place

if TYPE_CHECKING:
    from lakebed.model.location import Location
    from lakebed.store.capabilities import Capabilities

Buckets = Annotated[
    list[str] | None,
    typer.Argument(metavar="STORE:BUCKET", help="Buckets to probe.", show_default=False),
]
Refresh = Annotated[
    bool, typer.Option("--probe", help="Probe anew, even where it was done within a day.")
]


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(stores))


def stores(
    output: Output,
    remote: Remote,
    common: Common,
    buckets: Buckets = None,
    probe: Refresh = False,
) -> None:
    """Show the stores, and what buckets can do.

    Without a bucket, the configured stores and the buckets probed within a day; else what a probe
    finds in each bucket. The probe writes canary objects, compares their bytes and deletes them.
    """
    places = [place(bucket, common) for bucket in buckets or ()]
    with engine(common, remote) as opened:
        if not places:
            _list(opened.stores(), output)
        found = ((one, opened.capabilities(one, probe)) for one in places)
        for bucket, capabilities in found if places else opened.probed():
            if output.json:
                emit(_record(bucket, capabilities))
                continue
            if not places:
                say("")
            _show(bucket, capabilities)


def _list(found: Sequence[StoreShown], output: Output) -> None:
    if output.json:
        for store in found:
            emit(store._asdict())
    else:
        *headings, _default = StoreShown._fields
        table([name.upper() for name in headings], [store[:-1] for store in found])


def _record(bucket: "Location", found: "Capabilities") -> dict[str, object]:
    return {"location": str(bucket), **_each(found), "note": found.note}


def _show(bucket: "Location", found: "Capabilities") -> None:
    say(str(bucket))
    for name, can in _each(found).items():
        say(f"  {name:<16}{'yes' if can else 'no'}")
    if found.note:
        say(f"  {found.note}")


def _each(found: "Capabilities") -> dict[str, bool]:
    from lakebed.store.capabilities import Capability

    return {str(one): one in found for one in Capability}
