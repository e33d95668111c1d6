"""The files below a folder in the order of their keys, from any key on.

One folder is read at a time and its names are sorted as bytes, a folder's with its `/`: so `a-`
comes before `a/b`, and that before `a0`, as in any listing of keys. In memory are the names in the
folders on the way to where it stands.
"""

import logging
import os
import stat
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from lakebed.errors import ListingRefused, ObjectMissing
from lakebed.model.objects import Object
from lakebed.store.cancellation import Cancellation
from lakebed.store.folder.failures import reading
from lakebed.store.folder.names import OURS
from lakebed.store.folder.revision import modified, revision

_log = logging.getLogger("lakebed.folder")
Place = tuple[int, int]
"""A folder, whatever links lead to it: its device and inode."""
Level = tuple[bytes, Iterator[bytes], Place]
"""A folder on the way down: its path with a final `/`, the names still to come, its place."""
ALL = b"\xff"
"""Behind a folder's name: after all that is in it. No UTF-8 has this byte."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk of the keys that begin with `prefix` and come after `after`. Where it `folds`, what
    is below a folder is told by the folder's name alone, once."""

    root: bytes
    prefix: bytes
    after: bytes
    folds: bool
    cancellation: Cancellation

    def __iter__(self) -> Iterator[Object | str]:
        """Objects, and folded folders. Raises ListingRefused where the files cannot be told as
        keys, or not all of them can be reached, and AccessDenied."""
        base = self.prefix[: self.prefix.rfind(b"/") + 1]
        if b"\0" in base or any(name in (b"", b".", b"..") for name in base.split(b"/")[:-1]):
            return  # no file has such a key
        names, place = self._names(base, self.prefix[len(base) :])
        if self.after.startswith(base):
            names = names[self._first(names, self.after[len(base) :]) :]
        elif self.after > base:
            return
        yield from self._below([(base, iter(names), place)])

    def _below(self, levels: list[Level]) -> Iterator[Object | str]:
        """`levels` is the way down to where it stands."""
        while levels:
            base, names, _ = levels[-1]
            name = next(names, None)
            if name is None:
                levels.pop()
            elif not name.endswith(b"/"):
                found = self._object(base + name)
                if found is not None:
                    yield found
            elif self.folds:
                if self._holds_any(base + name, levels):
                    yield self._text(base + name)
            else:
                levels.append(self._enter(base + name, levels))

    def _enter(self, base: bytes, levels: list[Level]) -> Level:
        names, place = self._names(base)
        if any(place == above for _, _, above in levels):
            raise ListingRefused(
                "a symbolic link leads back to a folder that it is in",
                subject=self._shown(base),
                advice="remove the link",
            )
        rest = self.after[len(base) :] if self.after.startswith(base) else b""
        return base, iter(names[self._first(names, rest) :]), place

    def _holds_any(self, base: bytes, levels: list[Level]) -> bool:
        whole = replace(self, prefix=base, folds=False)
        return any(True for _ in whole._below([*levels[:-1], whole._enter(base, levels)]))

    def _first(self, names: list[bytes], rest: bytes) -> int:
        """The index of the first name that is, or holds, what comes after `rest`."""
        folder, slash, inside = rest.partition(b"/")
        if slash and inside != ALL:
            return bisect_left(names, folder + slash)
        return bisect_right(names, folder + slash)

    def _names(self, base: bytes, beginning: bytes = b"") -> tuple[list[bytes], Place]:
        """The names in a folder, sorted; none where it is gone by now, or never was."""
        self.cancellation.check()
        path = os.path.join(self.root, base)
        names: list[bytes] = []
        try:
            with reading(self._shown(base)), os.scandir(path) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith(beginning) and not name.startswith(OURS):
                        names.append(name + b"/" if entry.is_dir() else name)
                found = os.stat(path)
        except ObjectMissing:
            return [], (0, 0)
        names.sort()
        return names, (found.st_dev, found.st_ino)

    def _object(self, key: bytes) -> Object | None:
        """What a name stands for; None where it is gone by now, or is no file."""
        path = os.path.join(self.root, key)
        try:
            found = os.stat(path)
        except OSError as error:
            self._check_gone(key, path, error)
            return None
        if not stat.S_ISREG(found.st_mode):
            _log.warning("%s: skipped, it is no file", self._shown(key))
            return None
        return Object(self._text(key), found.st_size, revision(found), modified(found))

    def _check_gone(self, key: bytes, path: bytes, error: OSError) -> None:
        """Raise what is wrong with a name that leads to nothing, unless it was deleted."""
        with suppress(ObjectMissing), reading(self._shown(key)):
            raise error
        if os.path.islink(path):
            raise ListingRefused(
                "a symbolic link leads to nothing that is there",
                subject=self._shown(key),
                advice="remove the link, or mount what it leads to",
            )

    def _text(self, key: bytes) -> str:
        try:
            return key.decode()
        except UnicodeDecodeError:
            raise ListingRefused(
                "the name of this file is no UTF-8, so it is no key",
                subject=self._shown(key),
                advice="rename the file",
            ) from None

    def _shown(self, key: bytes) -> str:
        return os.path.join(self.root, key).decode(errors="backslashreplace")
