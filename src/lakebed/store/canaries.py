"""Takes away canary objects of runs that were killed before they could do so themselves."""

import re
from contextlib import suppress
from datetime import timedelta

from lakebed.errors import LakebedError
from lakebed.store.contract import Store

_ABANDONED = timedelta(hours=1)
"""Age of canaries whose run was killed: one that is alive needs its own for less than a minute."""
_OURS = re.compile(r"[0-9a-f]{16}(/|\Z)")


def take_away_abandoned(store: Store, bucket: str, roots: str) -> None:
    """Those whose keys begin with `roots` and a random name. One of the caller's own, listed
    beside them, tells how late it is by the store's own clock."""
    with suppress(LakebedError):
        listed = store.list_page(bucket, roots).objects
        now = max((found.modified for found in listed), default=None)
        for found in listed:
            ours = _OURS.match(found.key.removeprefix(roots))
            if ours and now is not None and now - found.modified > _ABANDONED:
                store.delete(bucket, found.key)
