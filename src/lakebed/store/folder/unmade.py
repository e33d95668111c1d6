"""A destination folder that is not there yet: a sync makes it, a plan only speaks of it."""

from lakebed.errors import BucketMissing, ObjectMissing
from lakebed.model.objects import Head
from lakebed.store.contract import PAGE_LIMIT, Page, Store
from lakebed.store.wrappers.forwarding import Forwarding


def to_be_made(store: Store, folder: str, *, make: bool) -> Store:
    """The store in which that folder is, or looks as if it was."""
    if make:
        store.create_bucket(folder)
        return store
    return _Unmade(store)


class _Unmade(Forwarding):
    """Where the folder is missing it holds nothing."""

    def list_page(
        self,
        bucket: str,
        prefix: str = "",
        *,
        after: str = "",
        token: str | None = None,
        delimiter: str = "",
        limit: int = PAGE_LIMIT,
    ) -> Page:
        try:
            return self._inner.list_page(
                bucket, prefix, after=after, token=token, delimiter=delimiter, limit=limit
            )
        except BucketMissing:
            return Page(())

    def head(self, bucket: str, key: str) -> Head:
        try:
            return self._inner.head(bucket, key)
        except BucketMissing as missing:
            raise ObjectMissing(missing.what, subject=missing.subject) from None
