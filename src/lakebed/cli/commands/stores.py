"""`lakebed stores [LOCATION]...`."""

from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output
from lakebed.cli.output import emit, say, table
from lakebed.cli.session import place, session, settings_of

if TYPE_CHECKING:
    from lakebed.model.location import Location
    from lakebed.settings import StoreSettings
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


def stores(output: Output, common: Common, buckets: Buckets = None, probe: Refresh = False) -> None:
    """Show the stores, and what buckets can do.

    Without a bucket, the configured stores and the buckets probed within a day; else what a probe
    finds in each bucket. The probe writes canary objects, compares their bytes and deletes them.
    """
    if buckets:
        _probe([place(bucket, common) for bucket in buckets], output, common, probe)
    else:
        _list(output, common)


def _list(output: Output, common: Common) -> None:
    settings = settings_of(common)
    configured = [settings.stores[name] for name in sorted(settings.stores)]
    if output.json:
        for store in configured:
            emit(dict(zip(_NAMES, _cells(store), strict=True)) | {"default": store.default})
    else:
        table([name.upper() for name in _NAMES], [_cells(store) for store in configured])
    with session(common) as opened:
        for bucket, found in opened.platform.probed():
            if output.json:
                emit(_record(bucket, found))
            else:
                say("")
                _show(bucket, found)


_NAMES = ("store", "endpoint", "region", "credentials", "addressing", "digests")


def _cells(store: "StoreSettings") -> tuple[str, ...]:
    return (
        store.name,
        store.url,
        store.region,
        store.authentication,
        store.addressing,
        store.digests,
    )


def _probe(places: "list[Location]", output: Output, common: Common, refresh: bool) -> None:
    with session(common) as opened:
        for bucket in places:
            found = opened.platform.capabilities(bucket, refresh)
            if output.json:
                emit(_record(bucket, found))
            else:
                _show(bucket, found)


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
