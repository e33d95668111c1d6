"""A publisher's word for an archive, read from its sidecar."""

from dataclasses import dataclass

from lakebed.errors import DigestRefused
from lakebed.model.objects import Head, Object
from lakebed.model.pair import published_digest, publishes
from lakebed.transfer.lanes.moved import read_whole
from lakebed.transfer.sides import Job, Sides

LIMIT = 4 * 1024
"""Bytes of a sidecar at the most; its digest and the longest name have less. So little that it
may be read and kept beside the budget while its pair is moved."""


@dataclass(frozen=True, slots=True)
class Published:
    """The digest (hex SHA-256) that a sidecar names, and the sidecar where it was read."""

    digest: str
    head: Head | None = None
    content: tuple[bytes, ...] | None = None


def published(
    sides: Sides, sidecar: Object, archive_key: str, known: str | None = None
) -> Published:
    """What the listed revision of `sidecar` says; it is not read where its MD5 is that of a line
    which names the SHA-256 that is `known` of its archive.

    Raises DigestRefused where it publishes no digest of its archive, SourceChanged.
    """
    if known is not None and publishes(sidecar.md5, known, archive_key):
        return Published(known)
    if sidecar.size > LIMIT:
        raise DigestRefused(
            f"its sidecar has {sidecar.size} bytes: no published digest", subject=archive_key
        )
    head, content = read_whole(sides, Job(sidecar, sidecar.key))
    digest = published_digest(b"".join(content), archive_key)
    if digest is None:
        raise DigestRefused("its sidecar does not hold `SHA-256  NAME` for it", subject=archive_key)
    return Published(digest, head, tuple(content))
