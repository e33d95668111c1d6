"""What a store in memory holds: buckets, their objects in order, and uploads under way."""

from bisect import insort
from dataclasses import dataclass, field, replace
from datetime import datetime

from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Attributes, Head, Object, Part
from lakebed.store.contract import Page


@dataclass(frozen=True, slots=True)
class Stored:
    data: bytes
    etag: str
    modified: datetime
    attributes: Attributes
    sha256: str | None = None
    checksum: Checksum | None = None

    def head(self) -> Head:
        visible = replace(self.attributes, tags={})
        size = len(self.data)
        tagged = bool(self.attributes.tags)
        return Head(size, self.etag, self.modified, visible, self.sha256, self.checksum, tagged)


@dataclass(slots=True)
class Uploading:
    key: str
    attributes: Attributes
    initiated: datetime
    algorithm: Algorithm | None = None
    parts: dict[int, tuple[Part, bytes]] = field(default_factory=dict)


@dataclass(slots=True)
class Bucket:
    objects: dict[str, Stored] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    """The keys, sorted: code points order as their UTF-8 does."""
    uploads: dict[str, Uploading] = field(default_factory=dict)

    def keep(self, key: str, stored: Stored) -> None:
        if key not in self.objects:
            insort(self.order, key)
        self.objects[key] = stored

    def page(self, position: int, prefix: str, delimiter: str, limit: int) -> Page:
        """A page from `position` on; its token is the first key that the next page looks at."""
        objects: list[Object] = []
        prefixes: list[str] = []
        for index in range(position, len(self.order)):
            key = self.order[index]
            if not key.startswith(prefix):
                break
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            folder = key[: cut + len(delimiter)] if cut >= 0 else ""
            if folder and prefixes and prefixes[-1] == folder:
                continue
            if len(objects) + len(prefixes) == limit:
                return Page(tuple(objects), tuple(prefixes), token=key)
            if folder:
                prefixes.append(folder)
            else:
                stored = self.objects[key]
                objects.append(Object(key, len(stored.data), stored.etag, stored.modified))
        return Page(tuple(objects), tuple(prefixes))
