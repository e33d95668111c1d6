"""What stands in the headers of requests and answers, as values of ours and back again."""

import base64
from collections.abc import Mapping
from html import escape
from urllib.parse import quote, urlencode

from lakebed import errors
from lakebed.model.checksum import Algorithm, Checksum
from lakebed.model.objects import (
    STANDARD_HEADERS,
    Attributes,
    Head,
    Part,
    Span,
    Written,
)
from lakebed.model.quantity import MAX_SIZE
from lakebed.store.s3.answer import SIZE_DIGITS, Answer, document, error_of, required
from lakebed.store.s3.body import Slice
from lakebed.store.s3.signing import quote_key

_META = "x-amz-meta-"
WHOLE = "FULL_OBJECT"
"""The type of a checksum that is of the object's bytes, and not of its parts' checksums."""


def head_of(headers: Mapping[str, str], subject: str) -> Head:
    content_range = headers.get("content-range", "")
    size = content_range.rpartition("/")[2] if content_range else headers.get("content-length", "0")
    return Head(
        size=_size(size, subject),
        etag=_tag(headers, subject),
        attributes=Attributes(
            headers={name: headers[name] for name in STANDARD_HEADERS if name in headers},
            metadata={
                name.removeprefix(_META): headers[name]
                for name in headers
                if name.startswith(_META)
            },
        ),
        sha256=_hex_of_base64(headers.get("x-amz-checksum-sha256", "")),
        checksum=_whole_checksum(headers),
        tagged=headers.get("x-amz-tagging-count", "0") != "0",
    )


def _size(text: str, subject: str) -> int:
    if not text.isdecimal() or len(text) > SIZE_DIGITS or int(text) > MAX_SIZE:
        raise errors.StoreFault(f"the store says that its size is {text[:40]!r}", subject=subject)
    return int(text)


def _tag(headers: Mapping[str, str], subject: str) -> str:
    """The ETag of an answer, empty where it has none; StoreFault for one that is no text."""
    tag = headers.get("etag", "").strip('"')
    try:
        tag.encode()
    except UnicodeEncodeError:
        raise errors.StoreFault(f"the store's ETag is no text: {tag!r}", subject=subject) from None
    return tag


def _whole_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """None for a composite one, which is of the parts' checksums."""
    if headers.get("x-amz-checksum-type") != WHOLE:
        return None
    texts = ((one, headers.get(checksum_name(one))) for one in Algorithm)
    return next((Checksum.parse(one, text) for one, text in texts if text), None)


def slice_of(status: int, headers: Mapping[str, str], span: Span | None, subject: str) -> Slice:
    """What to keep of the coming body. A store may answer a range with 200 and everything."""
    if span is None:
        return Slice()
    if status != 206:
        return Slice(skip=span.start, take=span.size)
    given = headers.get("content-range", "")
    if not given.startswith(f"bytes {span.start}-{span.end - 1}/"):
        raise errors.RequestRefused(
            f"asked for bytes {span.start}-{span.end - 1}, the store gave {given or 'no range'}",
            subject=subject,
        )
    return Slice(take=span.size)


def etag_of(answer: Answer, root: str, subject: str) -> str:
    return required(document(answer, root, subject), "ETag", subject).strip('"')


def written_of(answer: Answer, subject: str) -> Written:
    if "etag" not in answer.headers:
        raise error_of(answer, subject)
    return Written(
        etag=_tag(answer.headers, subject),
        sha256=_hex_of_base64(answer.headers.get("x-amz-checksum-sha256", "")),
    )


def attribute_headers(attributes: Attributes) -> dict[str, str]:
    headers = dict(attributes.headers)
    headers |= {_META + name: value for name, value in attributes.metadata.items()}
    if attributes.tags:
        headers["x-amz-tagging"] = urlencode(attributes.tags, quote_via=quote)
    if attributes.storage_class:
        headers["x-amz-storage-class"] = attributes.storage_class
    if attributes.sse:
        headers["x-amz-server-side-encryption"] = attributes.sse
    return headers


def checksum_name(algorithm: Algorithm) -> str:
    return f"x-amz-checksum-{algorithm}"


def checksum_header(checksum: Checksum | None) -> dict[str, str]:
    return {checksum_name(checksum.algorithm): str(checksum)} if checksum else {}


def part_row(part: Part) -> str:
    row = f"<PartNumber>{part.number}</PartNumber><ETag>{escape(part.etag, quote=False)}</ETag>"
    if part.checksum is not None:
        name = f"Checksum{part.checksum.algorithm.upper()}"
        row += f"<{name}>{part.checksum}</{name}>"
    return f"<Part>{row}</Part>"


def copy_source(bucket: str, key: str, if_match: str) -> dict[str, str]:
    return {
        "x-amz-copy-source": f"/{quote_key(bucket)}/{quote_key(key)}",
        "x-amz-copy-source-if-match": f'"{if_match}"',
    }


def _hex_of_base64(text: str) -> str | None:
    """None for what is no SHA-256: a multipart object's (`…-N`) is one of its parts' digests."""
    try:
        digest = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return digest.hex() if len(digest) == 32 else None


def base64_of_hex(digest: str) -> str:
    return base64.b64encode(bytes.fromhex(digest)).decode()
