"""A listing, read page by page, through which one may skip who has looked at it."""

from collections.abc import Iterator, Sequence

from lakebed.model.objects import Object


class Reading:
    """The objects of `pages`, in order. `cut` is the length of the prefix that all keys share."""

    def __init__(self, pages: Iterator[Sequence[Object]], cut: int = 0) -> None:
        self._pages, self.cut = pages, cut
        self._page: Sequence[Object] = ()
        self._at = 0

    def head(self) -> Object | None:
        """The next object, which stays the next one; None at the end."""
        return self._page[self._at] if self._at < len(self._page) or self._turn() else None

    def rest(self) -> Iterator[Object]:
        """What is left of the page at hand."""
        page = self._page
        return (page[place] for place in range(self._at, len(page)))

    def skip(self, count: int = 1) -> None:
        """Go on after the next `count` objects, which are in the page at hand."""
        self._at += count

    def _turn(self) -> bool:
        self._page, self._at = next((page for page in self._pages if page), ()), 0
        return bool(self._page)
