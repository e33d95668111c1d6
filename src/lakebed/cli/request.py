"""From what was typed to what is asked of the platform."""

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar

from lakebed.cli.options import Comparison, Deletion, Limits, Network, Selection, Transfer
from lakebed.errors import UsageError
from lakebed.model.operation import Filters, InventoryFile, KeyFile, Options, check_part_size
from lakebed.model.quantity import (
    MIB,
    format_size,
    parse_bandwidth,
    parse_duration,
    parse_moment,
    parse_size,
)

if TYPE_CHECKING:
    from lakebed.settings import Settings

STDIN = Path("-")
MAX_KEYS_BYTES = 8 * MIB
"""The longest `--files-from` whose keys are part of the request that the ledger keeps; of a longer
one it keeps where it is, and its digest."""
MIN_MEMORY = MIB
"""The least `--memory`: no piece of an object would ever fit into less."""
T = TypeVar("T")


def filters(selection: Selection, now: datetime | None = None) -> Filters:
    """Raises UsageError with the option's name where a value cannot be read."""
    now = now or datetime.now(UTC)
    if selection.from0 and selection.files_from is None:
        raise UsageError("--from0 without --files-from", advice="say which file, or leave it out")
    return Filters(
        patterns=tuple(_in_order(selection)),
        min_size=_read(selection.min_size, "--min-size", parse_size),
        max_size=_read(selection.max_size, "--max-size", parse_size),
        newer=_read(selection.newer, "--newer", lambda text: parse_moment(text, now)),
        older=_read(selection.older, "--older", lambda text: parse_moment(text, now)),
        **_keys(selection.files_from, nul=selection.from0),
    )


def options(
    selection: Selection,
    comparison: Comparison,
    limits: Limits,
    transfer: Transfer | None = None,
    deletion: Deletion | None = None,
) -> Options:
    """The options of an operation; a set that a command does not have stands at its defaults."""
    transfer = transfer or Transfer()
    deletion = deletion or Deletion()
    if deletion.max_delete is not None and not deletion.delete:
        raise UsageError("--max-delete without --delete", advice="add --delete, or leave it out")
    if deletion.delete and selection.files_from:
        raise UsageError(
            "--delete with --files-from would delete all that is not in the file",
            advice="leave one of them out",
        )
    memory = _read(limits.memory, "--memory", _memory) or MIN_MEMORY
    part_size = _read(limits.part_size, "--part-size", parse_size)
    if part_size is not None:
        check_part_size(part_size, memory)
    return Options(
        filters=filters(selection),
        inventory=_inventory(selection.inventory),
        compare=comparison.compare,
        ignore_existing=comparison.ignore_existing,
        delete=deletion.delete,
        max_delete=deletion.max_delete,
        delete_source=deletion.delete_source,
        on_change=transfer.on_change,
        mode=transfer.mode,
        server_side=transfer.server_side,
        concurrency=limits.concurrency,
        memory=memory,
        part_size=part_size,
        extra_reads=not transfer.no_extra_reads,
        retries=limits.retries,
        max_errors=limits.max_errors,
        fail_fast=limits.fail_fast,
        max_duration=_read(limits.max_duration, "--max-duration", parse_duration),
        tags=transfer.tags,
        storage_class=transfer.storage_class,
        sse=transfer.sse,
    )


def with_network(settings: "Settings", network: Network | None) -> "Settings":
    """The settings, with what the command line says on top."""
    if network is None or network.bandwidth is None:
        return settings
    return settings.model_copy(update={"bandwidth": bandwidth_of(network)})


def bandwidth_of(network: Network | None) -> int | None:
    """Bytes a second; None where there is no limit."""
    text = network.bandwidth if network else None
    return _read(text, "--bandwidth", parse_bandwidth)


def _memory(text: str) -> int:
    size = parse_size(text)
    if size < MIN_MEMORY:
        raise UsageError("too little", subject=text, advice=f"at least {format_size(MIN_MEMORY)}")
    return size


def _in_order(selection: Selection) -> Iterable[tuple[bool, str]]:
    """Both lists as one, in the order in which they were typed: the last match wins."""
    values = {"include": iter(selection.include or ()), "exclude": iter(selection.exclude or ())}
    for name in selection.given:
        if name in values:
            yield name == "include", next(values[name])


def _read(text: str | None, option: str, parse: Callable[[str], T]) -> T | None:
    if text is None:
        return None
    try:
        return parse(text)
    except UsageError as error:
        raise UsageError(
            error.what, subject=f"{option} {error.subject}", advice=error.advice
        ) from None


def _inventory(path: Path | None) -> InventoryFile | None:
    if path is None:
        return None
    from lakebed.transfer.manifest import inventory_file

    return inventory_file(path)


class _Keys(TypedDict, total=False):
    keys: tuple[str, ...]
    keys_file: KeyFile


def _keys(path: Path | None, *, nul: bool) -> _Keys:
    """The keys that the file lists, or the file itself where it is long."""
    if path is None:
        return {}
    from lakebed.transfer.wanted import key_file, keys_of

    subject = f"--files-from {path}"
    try:
        content = _start_of(path)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", subject=subject) from None
    if len(content) <= MAX_KEYS_BYTES:
        return {"keys": keys_of(content, subject, nul=nul)}
    if path == STDIN:
        raise UsageError(
            f"the list is longer than {format_size(MAX_KEYS_BYTES)}, and cannot be read again",
            subject=subject,
            advice="write it to a file, which may be of any length",
        )
    return {"keys_file": key_file(path, nul=nul)}


def _start_of(path: Path) -> bytes:
    """What the file begins with, one byte more than a list may have."""
    if path == STDIN:
        return sys.stdin.buffer.read(MAX_KEYS_BYTES + 1)
    with path.open("rb") as file:
        return file.read(MAX_KEYS_BYTES + 1)
