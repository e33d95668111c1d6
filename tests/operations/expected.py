"""What the ends must hold after a sync, in a few lines: what the engine is held against."""

import hashlib
from collections.abc import Set
from dataclasses import dataclass

from lakebed.model.operation import Compare, OnChange, OperationState, Options
from lakebed.model.pair import archive_of, is_sidecar, published_digest, sidecar_of

Content = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Expected:
    source: Content
    destination: Content
    state: OperationState


def after_sync(
    source: Content, destination: Content, options: Options, proved: Set[str] = frozenset()
) -> Expected:
    """Both ends after a sync that nobody disturbed, and what it says of itself.

    `proved` are the keys whose copy, as it is there now, was proved by a SHA-256.
    """

    def is_unchanged(key: str) -> bool:
        return there[key] == source[key] and (
            options.compare is not Compare.DIGEST or key in proved
        )

    there, left = dict(destination), dict(source)
    refused = failed = False
    for name in sorted({archive_name(key) for key in source | destination}):
        halves = [key for key in (name, sidecar_of(name)) if key in source]
        changed = [key for key in halves if key in there and not is_unchanged(key)]
        moves = [key for key in halves if key not in there or not is_unchanged(key)]
        if options.delete_source:
            moves = halves
        if changed and options.on_change is OnChange.KEEP:
            continue
        if changed and options.on_change is OnChange.FAIL:
            failed = True
        elif moves and not is_sound(source, name):
            refused = True
        elif moves:
            there |= {key: source[key] for key in halves}
            if options.delete_source:
                left = {key: data for key, data in left.items() if key not in halves}
        elif not halves and options.delete and source:
            there.pop(name, None)
            there.pop(sidecar_of(name), None)
    state = OperationState.QUARANTINED if refused else OperationState.COMPLETED
    if failed:
        state = OperationState.PARTIAL
    if options.delete and not source and destination:
        state = OperationState.FAILED  # an empty source is not taken for a deletion
    return Expected(left, there, state)


def archive_name(key: str) -> str:
    return archive_of(key) if is_sidecar(key) else key


def is_sound(content: Content, name: str) -> bool:
    """Whether nothing is published of this archive, or what it is."""
    archive, sidecar = content.get(name), content.get(sidecar_of(name))
    if archive is None or sidecar is None:
        return True
    return published_digest(sidecar, name) == hashlib.sha256(archive).hexdigest()
