"""Every option that more than one command has, declared once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lakebed.cli.command import COMMON
from lakebed.cli.flatten import GivenOrder
from lakebed.model.operation import Compare, Mode, OnChange, ServerSide

SELECTION = "Which objects"
TRANSFER = "How they are moved"
LIMITS = "Limits"
OUTPUT = "Output"
WHERE_DONE = "Where it is done"

MANY = 2**31 - 1
"""The largest count that an option takes: what every database and every system can hold."""
MAX_CONCURRENCY = 1024
"""Each object in flight is a thread."""
MAX_RETRIES = 1000
"""Pauses double with each, and a number can be doubled about as often."""

WHERE = "store:bucket/prefix/, s3://… or ./folder/"
Source = Annotated[str, typer.Argument(metavar="SOURCE", help=WHERE)]
Destination = Annotated[str, typer.Argument(metavar="DESTINATION", help=WHERE)]
Place = Annotated[str, typer.Argument(metavar="LOCATION", help=WHERE)]
OperationId = Annotated[str, typer.Argument(metavar="ID", help="An operation; a prefix will do.")]


EVERYWHERE = ("--config", "--verbose", "-v", "--quiet", "-q", "--debug")
"""The names of what every command takes."""


@dataclass(frozen=True)
class Common:
    """What every command takes."""

    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="Read this lakebed.toml.", rich_help_panel=COMMON
        ),
    ] = None
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            show_default=False,
            help="Say more; twice for all.",
            rich_help_panel=COMMON,
        ),
    ] = 0
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Say only what went wrong.", rich_help_panel=COMMON),
    ] = False
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Log everything, and show the trace of an error.",
            rich_help_panel=COMMON,
        ),
    ] = False


@dataclass(frozen=True)
class Remote:
    """Where the work is done, and its ledger is."""

    executor: Annotated[
        str | None,
        typer.Option(
            "--executor",
            metavar="URL",
            envvar="LAKEBED_EXECUTOR_URL",
            help="Have this executor do it; its token is LAKEBED_EXECUTOR_TOKEN.",
            rich_help_panel=WHERE_DONE,
        ),
    ] = None


@dataclass(frozen=True)
class Output:
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object a line.", rich_help_panel=OUTPUT),
    ] = False


@dataclass(frozen=True)
class Report:
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write a report in JSON, or in HTML where the name ends in .html.",
            rich_help_panel=OUTPUT,
        ),
    ] = None


@dataclass(frozen=True)
class Network:
    bandwidth: Annotated[
        str | None,
        typer.Option(
            "--bandwidth",
            metavar="RATE",
            help="Bytes a second, each way, as 10M; a number alone is bytes; off for no limit.",
            rich_help_panel=LIMITS,
        ),
    ] = None


@dataclass(frozen=True)
class Observe:
    """Where the engine tells what it does; what is not given is as the settings have it."""

    metrics_listen: Annotated[
        str | None,
        typer.Option(
            "--metrics-listen",
            metavar="HOST:PORT",
            help="Serve metrics for Prometheus while this runs, as at 127.0.0.1:9464; or off.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    metrics_file: Annotated[
        Path | None,
        typer.Option(
            "--metrics-file",
            metavar="FILE",
            help="Write metrics at the end, for the node exporter's textfile collector.",
            rich_help_panel=OUTPUT,
        ),
    ] = None


@dataclass(frozen=True)
class Selection:
    """Which objects of the source."""

    given: GivenOrder
    include: Annotated[
        list[str] | None,
        typer.Option(
            "--include",
            metavar="GLOB",
            help="Take what matches: * stops at /, ** does not; a pattern without / is for the "
            "last part of a key, at any depth. The last match wins; a key that none matches is "
            "left out where the first pattern is an include, else taken. Repeatable; see "
            "docs/filters.md.",
            rich_help_panel=SELECTION,
        ),
    ] = None
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            metavar="GLOB",
            help="Leave out what matches, by the same patterns. Repeatable; see docs/filters.md.",
            rich_help_panel=SELECTION,
        ),
    ] = None
    min_size: Annotated[
        str | None,
        typer.Option(
            "--min-size",
            metavar="SIZE",
            help="At least, as 10MiB; a number alone is bytes.",
            rich_help_panel=SELECTION,
        ),
    ] = None
    max_size: Annotated[
        str | None,
        typer.Option(
            "--max-size",
            metavar="SIZE",
            help="At most, as 5GiB; a number alone is bytes.",
            rich_help_panel=SELECTION,
        ),
    ] = None
    newer: Annotated[
        str | None,
        typer.Option(
            "--newer",
            metavar="TIME",
            help="Modified since: 2026-05-08, or an age as 7d.",
            rich_help_panel=SELECTION,
        ),
    ] = None
    older: Annotated[
        str | None,
        typer.Option("--older", metavar="TIME", help="Modified before.", rich_help_panel=SELECTION),
    ] = None
    files_from: Annotated[
        Path | None,
        typer.Option(
            "--files-from",
            metavar="FILE",
            help="Only these keys, one a line, relative to SOURCE; - reads stdin, at most 8 MiB.",
            rich_help_panel=SELECTION,
        ),
    ] = None
    from0: Annotated[
        bool,
        typer.Option(
            "--from0",
            help="Keys in --files-from end in NUL, as of find -print0.",
            rich_help_panel=SELECTION,
        ),
    ] = False
    inventory: Annotated[
        Path | None,
        typer.Option(
            "--inventory",
            metavar="FILE",
            help="Read what SOURCE holds from an S3 Inventory, its manifest.json or a CSV file of "
            "it, and do not list it.",
            rich_help_panel=SELECTION,
        ),
    ] = None


@dataclass(frozen=True)
class Comparison:
    """When two objects count as the same."""

    compare: Annotated[
        Compare,
        typer.Option("--compare", help="What makes two objects equal.", rich_help_panel=SELECTION),
    ] = Compare.AUTO
    ignore_existing: Annotated[
        bool,
        typer.Option(
            "--ignore-existing",
            help="Skip what the destination has, whatever it is.",
            rich_help_panel=SELECTION,
        ),
    ] = False


@dataclass(frozen=True)
class Deletion:
    delete: Annotated[
        bool,
        typer.Option(
            "--delete",
            help="Delete at the destination what the source lacks.",
            rich_help_panel=TRANSFER,
        ),
    ] = False
    max_delete: Annotated[
        int | None,
        typer.Option(
            "--max-delete",
            metavar="N",
            min=0,
            max=MANY,
            help="Delete nothing where there would be more.",
            rich_help_panel=LIMITS,
        ),
    ] = None
    delete_source: Annotated[
        bool,
        typer.Option(
            "--delete-source",
            help="Move: delete at the source what is proved at the destination.",
            rich_help_panel=TRANSFER,
        ),
    ] = False


@dataclass(frozen=True)
class Transfer:
    """How objects are moved."""

    on_change: Annotated[
        OnChange,
        typer.Option(
            "--on-change",
            help="What to do where the destination holds another revision.",
            rich_help_panel=TRANSFER,
        ),
    ] = OnChange.REPLACE
    mode: Annotated[
        Mode,
        typer.Option(
            "--mode",
            help="Lanes that may be used: traditional goes through a temporary file, "
            "hybrid falls back to it, auto never does; direct_sync is another name for auto.",
            rich_help_panel=TRANSFER,
        ),
    ] = Mode.AUTO
    server_side: Annotated[
        ServerSide,
        typer.Option(
            "--server-side",
            help="Inside one endpoint: copy object by object by the API, or in batches by s5cmd.",
            rich_help_panel=TRANSFER,
        ),
    ] = ServerSide.API
    no_extra_reads: Annotated[
        bool,
        typer.Option(
            "--no-extra-reads",
            help="Read nothing only to prove it; what is copied is proved as it passes.",
            rich_help_panel=TRANSFER,
        ),
    ] = False
    tags: Annotated[
        bool, typer.Option("--tags", help="Copy tags too.", rich_help_panel=TRANSFER)
    ] = False
    storage_class: Annotated[
        str,
        typer.Option(
            "--storage-class",
            metavar="CLASS",
            show_default=False,
            help="At the destination, as STANDARD_IA.",
            rich_help_panel=TRANSFER,
        ),
    ] = ""
    sse: Annotated[
        str,
        typer.Option(
            "--sse",
            metavar="ALGORITHM",
            show_default=False,
            help="Encryption at the destination: AES256 or aws:kms.",
            rich_help_panel=TRANSFER,
        ),
    ] = ""


@dataclass(frozen=True)
class Limits:
    """How much, how often, how long."""

    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency",
            metavar="N",
            min=1,
            max=MAX_CONCURRENCY,
            help="Objects in flight, at the most; as many as the stores take where it is not said.",
            rich_help_panel=LIMITS,
        ),
    ] = None
    memory: Annotated[
        str,
        typer.Option(
            "--memory",
            metavar="SIZE",
            help="Bytes in flight, 1MiB or more; a number alone is bytes.",
            rich_help_panel=LIMITS,
        ),
    ] = "64MiB"
    part_size: Annotated[
        str | None,
        typer.Option(
            "--part-size",
            metavar="SIZE",
            help="Of an object that needs parts; two of them must fit into --memory.",
            rich_help_panel=LIMITS,
        ),
    ] = None
    retries: Annotated[
        int,
        typer.Option(
            "--retries",
            metavar="N",
            min=0,
            max=MAX_RETRIES,
            help="For each request.",
            rich_help_panel=LIMITS,
        ),
    ] = 5
    max_errors: Annotated[
        int | None,
        typer.Option(
            "--max-errors",
            metavar="N",
            min=0,
            max=MANY,
            help="Stop after more failed objects than this.",
            rich_help_panel=LIMITS,
        ),
    ] = None
    fail_fast: Annotated[
        bool,
        typer.Option(
            "--fail-fast", help="Stop at the first failed object.", rich_help_panel=LIMITS
        ),
    ] = False
    max_duration: Annotated[
        str | None,
        typer.Option(
            "--max-duration",
            metavar="TIME",
            help="Stop, resumable, after this long, as 2h.",
            rich_help_panel=LIMITS,
        ),
    ] = None
