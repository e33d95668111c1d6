"""Pages of a folder's listing. Between two pages the walk is kept open, where it stands."""

import threading
from collections.abc import Iterator
from itertools import chain, islice

from lakebed.errors import NotSupported
from lakebed.model.objects import Object
from lakebed.store.cancellation import Cancellation
from lakebed.store.contract import Page
from lakebed.store.folder.walk import ALL, Walk

_OPEN = 32
"""Walks that are kept; one that had to go is begun anew, at the key where it stood."""

Items = Iterator[Object | str]
Asked = tuple[bytes, str, str]
"""Root, prefix, delimiter."""


class Listings:
    """The listings of one store; for many threads."""

    def __init__(self, cancellation: Cancellation) -> None:
        self._cancellation = cancellation
        self._lock = threading.Lock()
        self._walks: dict[tuple[Asked, str], Items] = {}

    def page(self, asked: Asked, after: str, token: str | None, limit: int) -> Page:
        """As the contract says. Raises NotSupported for a delimiter other than `/`."""
        if asked[2] not in ("", "/"):
            raise NotSupported("only / tells folders apart", subject=asked[2])
        items = self._reopened(asked, token) if token else self._begun(asked, after.encode())
        found = list(islice(items, limit))
        following = next(items, None)
        token = None
        if following is not None:
            token = found[-1].key if isinstance(found[-1], Object) else found[-1]
            self._keep(asked, token, chain((following,), items))
        return Page(
            tuple(item for item in found if isinstance(item, Object)),
            tuple(item for item in found if isinstance(item, str)),
            token,
        )

    def close(self) -> None:
        with self._lock:
            self._walks.clear()

    def _begun(self, asked: Asked, after: bytes) -> Items:
        root, prefix, delimiter = asked
        begins = prefix.encode(errors="surrogatepass")
        return iter(Walk(root, begins, after, delimiter == "/", self._cancellation))

    def _reopened(self, asked: Asked, token: str) -> Items:
        with self._lock:
            kept = self._walks.pop((asked, token), None)
        folded = ALL if asked[2] and token.endswith(asked[2]) else b""
        return kept or self._begun(asked, token.encode() + folded)

    def _keep(self, asked: Asked, token: str, items: Items) -> None:
        with self._lock:
            self._walks[asked, token] = items
            while len(self._walks) > _OPEN:
                del self._walks[next(iter(self._walks))]
