"""`lakebed executor serve`."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakebed.cli.command import Command, Group
from lakebed.cli.flatten import flatten
from lakebed.cli.options import Common, Output
from lakebed.cli.output import emit, note, say
from lakebed.cli.session import set_log, settings_of
from lakebed.errors import ConfigurationError

if TYPE_CHECKING:
    from lakebed.executor.serve import Serving
    from lakebed.settings import Settings


class Auth(StrEnum):
    TOKEN = "token"
    NONE = "none"
    KEYS = "keys"
    OIDC = "oidc"


def register(app: typer.Typer) -> None:
    group = typer.Typer(cls=Group, rich_markup_mode=None, help="The engine as a service.")
    group.command(cls=Command)(flatten(serve))
    group.callback()(lambda: None)
    app.add_typer(group, name="executor")


def serve(
    output: Output,
    common: Common,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 for a free one.")
    ] = 8080,
    auth: Annotated[
        Auth | None,
        typer.Option(
            "--auth",
            help="How callers are told apart, see docs/access.md: by a token that is made now, API "
            "keys, an issuer's tokens, or not at all; token and none on loopback only. "
            "By default as [access] says, else token.",
        ),
    ] = None,
) -> None:
    """Serve the API until a signal: operations are queued, run, watched and found again."""
    from lakebed.settings.layers import Sources

    settings = settings_of(common)
    if auth is not None:
        settings = with_auth(settings, auth)
    try:
        from lakebed.executor.serve import serve as run
    except ImportError as absent:
        raise ConfigurationError(
            f"the executor needs a package that is not installed ({absent.name})",
            advice="pip install 'lakebed[executor]'",
        ) from None

    def started(serving: "Serving") -> None:
        if settings.access.mode == "none":
            note(f"WARNING: whoever reaches {serving.url} may do everything (--auth none)")
        if output.json:
            file = None if serving.token_file is None else str(serving.token_file)
            told = {"url": serving.url, "console": serving.console, "token_file": file}
            emit({"event": "serving", **told})
        elif not common.quiet:
            say(f"serving at {serving.url}")
            say(f"  {'console':<12}{serving.console}")
            if serving.token_file is not None:
                say(f"  {'token':<12}in {serving.token_file}")

    sources = Sources(common.config, dict(os.environ), Path.cwd())
    run(settings, host, port, started, sources, [_Log(common)])


def with_auth(settings: "Settings", auth: Auth) -> "Settings":
    """The settings with what was said on the command line. Raises ConfigurationError."""
    access = settings.access.model_copy(update={"mode": auth.value})
    if auth is Auth.OIDC and access.oidc is None:
        raise ConfigurationError("--auth oidc needs a table [access.oidc]")
    return settings.model_copy(update={"access": access})


class _Log:
    """The log: the options decide on its level, the settings in force on all else."""

    def __init__(self, common: Common) -> None:
        self._common = common

    def apply(self, settings: "Settings") -> None:
        from lakebed.executor.logged import log_as

        set_log(self._common, settings.log)
        log_as(settings)
