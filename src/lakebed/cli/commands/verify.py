"""`lakebed verify SOURCE DESTINATION`."""

import typer

from lakebed.cli.command import Command
from lakebed.cli.conduct import Showing, conduct
from lakebed.cli.flatten import flatten
from lakebed.cli.options import (
    Common,
    Comparison,
    Destination,
    Limits,
    Network,
    Observe,
    Output,
    Remote,
    Report,
    Selection,
    Source,
)
from lakebed.cli.request import options
from lakebed.cli.session import place
from lakebed.model.operation import Kind, Request


def register(app: typer.Typer) -> None:
    app.command(cls=Command)(flatten(verify))


def verify(
    source: Source,
    destination: Destination,
    selection: Selection,
    limits: Limits,
    network: Network,
    output: Output,
    report: Report,
    observe: Observe,
    remote: Remote,
    common: Common,
) -> None:
    """Prove a destination, and copy nothing.

    Its objects are compared with the source, or with their published digests. What is missing or
    differs ends with exit code 3. What only the destination holds is counted as extra, and is no
    difference.
    """
    request = Request(
        place(source, common),
        place(destination, common),
        Kind.VERIFY,
        options(selection, Comparison(), limits),
    )
    showing = Showing(common, output, report, network, observe, remote)
    conduct(showing, lambda engine, display: engine.sync(request, display))
