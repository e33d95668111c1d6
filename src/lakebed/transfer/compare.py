"""Whether a destination object is already what its source is, and why."""

from lakebed.model.objects import Object
from lakebed.model.operation import Compare, Copied, Proof


def settled_by_listing(compare: Compare, source: Object, destination: Object) -> bool:
    """Whether the two listings alone show the object unchanged, so that nobody need remember."""
    return compare is not Compare.DIGEST and same_md5(source, destination)


def unchanged(
    compare: Compare, source: Object, destination: Object, last: Copied | None
) -> tuple[bool, str]:
    """The verdict and its reason in a few words.

    `auto`: the ledger's last copy has these two ETags; else equal sizes and MD5 ETags; else,
    where the ETags cannot be compared, equal sizes and a destination that is not older.
    `digest` asks for more: a last copy that was proved by a SHA-256.
    """
    if compare is Compare.SIZE:
        same = source.size == destination.size
        return same, "same size" if same else "other size"
    remembered = last is not None and (last.source_etag, last.destination_etag) == (
        source.etag,
        destination.etag,
    )
    if compare is Compare.DIGEST:
        proved = remembered and last is not None and last.proof in _BY_DIGEST
        return proved, "proved before" if proved else "not proved by a digest yet"
    if remembered:
        return True, "copied before"
    if source.size != destination.size:
        return False, "other size"
    if same_md5(source, destination):
        return True, "same MD5"
    if compare is Compare.ETAG or (source.md5 and destination.md5):
        return False, "other ETag"
    newer = source.modified > destination.modified
    return not newer, "source is newer" if newer else "same size, not older"


_BY_DIGEST = (Proof.PUBLISHER_SHA256, Proof.SERVER_CHECKSUM)


def same_md5(source: Object, destination: Object) -> bool:
    """Whether sizes are equal, and ETags that are MD5s."""
    if source.size != destination.size:
        return False
    md5 = source.md5
    return md5 is not None and md5 == destination.md5
