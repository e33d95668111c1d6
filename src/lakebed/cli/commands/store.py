"""`lakebed store serve DIR`."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command, Group
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output
from lakebed.cli.output import emit, say
from lakebed.cli.session import settings_of, stoppable
from lakebed.errors import StoreError
from lakebed.store.cancellation import Cancellation

if TYPE_CHECKING:
    from lakebed.local.embedded import EmbeddedStore

POLL_SECONDS = 0.25
GRACE_SECONDS = 30.0
"""For the server to bring what it holds onto the disk."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=Group, rich_markup_mode=None, help="The embedded object store.")
    group.callback()(lambda: None)
    group.command(cls=Command)(flatten(serve))
    app.add_typer(group, name="store")


def serve(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where it keeps its data.")],
    output: Output,
    common: Common,
    address: Annotated[
        str, typer.Option("--address", metavar="HOST:PORT", help="Port 0 takes a free one.")
    ] = "127.0.0.1:9000",
    bucket: Annotated[
        list[str] | None, typer.Option("--bucket", metavar="NAME", help="Create it if missing.")
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Its name in the configuration shown.")
    ] = "local",
    engine: Annotated[
        str | None,
        typer.Option("--engine", metavar="NAME", help="minio or seaweedfs; the best by default."),
    ] = None,
) -> None:
    """Serve a folder as an S3 store, until SIGINT or SIGTERM.

    Its credentials are made for the folder and kept in it, readable by you alone.
    """
    from lakebed.local.embedded import EmbeddedStore

    settings_of(common)
    with (
        stoppable(common, GRACE_SECONDS) as (cancellation, _),
        EmbeddedStore(directory, address, engine) as store,
    ):
        _create(bucket or [], store, cancellation)
        if output.json:
            emit(
                {
                    "event": "serving",
                    "endpoint": store.endpoint,
                    "engine": store.engine,
                    "directory": str(directory.absolute()),
                }
            )
        else:
            say(f"serving {directory} at {store.endpoint} ({store.engine}); Ctrl-C ends it")
            say(f"its credentials are kept in {directory.absolute()}; for a lakebed.toml:\n")
            say(store.configuration(name))
        while not cancellation.stopped:
            if store.wait(POLL_SECONDS) is not None:
                raise StoreError("the server ended by itself", subject=str(directory))


def _create(buckets: list[str], store: "EmbeddedStore", cancellation: Cancellation) -> None:
    if not buckets:
        return
    from pydantic import SecretStr

    from lakebed.settings import StoreSettings
    from lakebed.store.build import open_store

    settings = StoreSettings(
        name="embedded",
        endpoint=store.endpoint,
        access_key=SecretStr(store.access_key),
        secret_key=SecretStr(store.secret_key),
    )
    with closing(open_store(settings, cancellation)) as opened:
        for bucket in buckets:
            opened.create_bucket(bucket)
