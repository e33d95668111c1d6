"""Uploads under way: the answers of ListParts and ListMultipartUploads, page by page."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element

from lakebed.errors import ListingRefused
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import Part, Upload
from lakebed.store.s3.answer import SIZE_DIGITS, required, text_of, texts

Query = tuple[tuple[str, str], ...]
Ask = Callable[[Query], Element]
"""Asks for the page after these markers; none for the first."""


def parts(ask: Ask, subject: str) -> Iterator[Part]:
    """Raises ListingRefused for a listing that is cut or does not advance."""
    for page in _pages(ask, {"part-number-marker": "NextPartNumberMarker"}, "", subject):
        for part in texts(page, "Part"):
            yield Part(
                _number(part, "PartNumber", subject),
                required(part, "ETag", subject).strip('"'),
                _number(part, "Size", subject),
                checksum_of(part),
            )


def uploads(ask: Ask, key: str, subject: str) -> Iterator[Upload]:
    """As `parts`; those of exactly `key`, which is the prefix that is asked for."""
    markers = {"key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker"}
    for page in _pages(ask, markers, key, subject):
        for upload in texts(page, "Upload"):
            if _plain(required(upload, "Key", subject), key) == key:
                begun = _moment(required(upload, "Initiated", subject), subject)
                yield Upload(key, required(upload, "UploadId", subject), begun)


def _pages(ask: Ask, markers: dict[str, str], prefix: str, subject: str) -> Iterator[Element]:
    after: Query = ()
    while True:
        page = ask(after)
        yield page
        if text_of(page, "IsTruncated") != "true":
            return
        named = ((name, text_of(page, field)) for name, field in markers.items())
        following = tuple((name, _plain(text, prefix)) for name, text in named if text)
        if following in ((), after):
            raise ListingRefused("it is cut and does not advance", subject=subject)
        after = following


def _plain(text: str, prefix: str) -> str:
    """A listed key as it is. What begins with the prefix is not encoded: SeaweedFS says that it
    encodes, and does not."""
    return text if text.startswith(prefix) else unquote_plus(text)


def _number(element: Element, name: str, subject: str) -> int:
    text = required(element, name, subject)
    if not text.isdecimal() or len(text) > SIZE_DIGITS:
        raise ListingRefused(f"the {name} is {text[:40]!r}", subject=subject)
    return int(text)


def checksum_of(part: Element) -> Checksum | None:
    """The CRC that the store names for a part, where it does."""
    named = ((one, text_of(part, f"Checksum{one.upper()}")) for one in Algorithm)
    return next((Checksum.parse(one, text) for one, text in named if text), None)


def _moment(text: str, subject: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ListingRefused(f"an upload began at {text[:40]!r}", subject=subject) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
