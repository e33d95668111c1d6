"""Whether source and destination are two places: copies must not become sources themselves."""

import os
import secrets
from dataclasses import replace

from lakebed.errors import LakebedError, ObjectMissing, UsageError
from lakebed.model.location import Location
from lakebed.store.canaries import take_away_abandoned
from lakebed.store.contract import Buffer
from lakebed.transfer.sides import Side


def check_locations(source: Location, destination: Location, *, same_endpoint: bool) -> None:
    """Raise UsageError where copies would all get one key, or become sources themselves."""
    if source.is_folder and not destination.is_folder:
        raise UsageError(
            "a folder cannot be copied to one key",
            subject=str(destination),
            advice=f"a folder's location ends in /: {destination}/",
        )
    if same_endpoint and overlap(source, destination):
        raise _one_place(source, destination)


def check_apart(source: Side, destination: Side) -> None:
    """Raise UsageError where two stores turn out to be one, under two names or credentials.

    Names prove nothing: where the paths would overlap, a canary written at the destination must
    not be found at the source. A destination that takes none cannot be a danger either.
    """
    if not overlap(source.location, destination.location):
        return
    canaries = f"{destination.location.folder}.lakebed-canary-"
    key, bucket = f"{canaries}{secrets.token_hex(8)}", destination.bucket
    try:
        destination.store.put(bucket, key, Buffer((b"lakebed canary, safe to delete\n",)))
    except LakebedError:
        return  # the operation itself will say it better
    try:
        take_away_abandoned(destination.store, bucket, canaries)
        source.store.head(source.bucket, key)
    except ObjectMissing:
        return
    finally:
        destination.store.delete(bucket, key)
    raise _one_place(source.location, destination.location)


def overlap(source: Location, destination: Location) -> bool:
    """Whether they are the same place, or one is inside the other, if their stores are one."""
    if source.is_local and destination.is_local:
        source, destination = _resolved(source), _resolved(destination)
    if source.bucket != destination.bucket:
        return False
    if not source.is_folder:
        return destination.key(source.relative(source.path)) == source.path
    return destination.path.startswith(source.path) or source.path.startswith(destination.path)


def _resolved(location: Location) -> Location:
    """A place of this machine by its real path, whatever links lead there."""
    folder, name = os.path.realpath(location.bucket), location.path
    return replace(location, bucket="", path=f"{folder.rstrip('/')}/{name}")


def _one_place(source: Location, destination: Location) -> UsageError:
    return UsageError(
        "source and destination are the same place, or one is inside the other",
        subject=f"{source} and {destination}",
        advice="choose folders side by side",
    )
