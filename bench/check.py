"""Whether a target holds what its source has: every key, every size, every ETag that can tell."""

from lakebed.model.objects import Object, md5_of_etag
from lakebed.store.contract import Store
from lakebed.store.listing import objects

Listing = dict[str, Object]


def listing(store: Store, bucket: str) -> Listing:
    return {found.key: found for found in objects(store, bucket)}


def difference(wanted: Listing, found: Listing) -> str:
    """The first thing that is wrong, with how many; empty where nothing is.

    ETags of two objects are compared where both are an MD5: those of uploads in parts are not.
    """
    missing = wanted.keys() - found.keys()
    more = found.keys() - wanted.keys()
    differ = [key for key in wanted.keys() & found.keys() if _differ(wanted[key], found[key])]
    for what, keys in (("missing", missing), ("too many", more), ("different", differ)):
        if keys:
            return f"{len(keys)} of {len(wanted)} {what}, as {min(keys)}"
    return ""


def _differ(one: Object, other: Object) -> bool:
    tags = md5_of_etag(one.etag), md5_of_etag(other.etag)
    return one.size != other.size or (None not in tags and tags[0] != tags[1])
