"""What an S3 answer means: the error for each status and code, and the XML of the few that matter.

Codes are those of "Error responses" in the Amazon S3 API reference, with MinIO's own added.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

from lakebed import errors
from lakebed.errors import LakebedError


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `headers` have lower-case names; `content` is empty where a sink took it."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""


SIZE_DIGITS = 19
"""Of the largest size that there is; Python refuses to read numbers of some thousand digits."""
_LONGEST = 300
"""Characters that are kept of a store's own words."""

_BY_CODE: dict[str, type[LakebedError]] = {
    "NoSuchKey": errors.ObjectMissing,
    "NoSuchUpload": errors.ObjectMissing,
    "NoSuchVersion": errors.ObjectMissing,
    "NoSuchBucket": errors.BucketMissing,
    "InvalidBucketName": errors.BucketMissing,
    "AccessDenied": errors.AccessDenied,
    "AllAccessDisabled": errors.AccessDenied,
    "AccountProblem": errors.AccessDenied,
    "InvalidAccessKeyId": errors.CredentialsRefused,
    "SignatureDoesNotMatch": errors.CredentialsRefused,
    "ExpiredToken": errors.CredentialsRefused,
    "InvalidToken": errors.CredentialsRefused,
    "TokenRefreshRequired": errors.CredentialsRefused,
    "AuthorizationHeaderMalformed": errors.CredentialsRefused,
    "InvalidSecurity": errors.CredentialsRefused,
    "RequestTimeTooSkewed": errors.ClockSkew,
    "SlowDown": errors.Throttled,
    "SlowDownRead": errors.Throttled,
    "SlowDownWrite": errors.Throttled,
    "TooManyRequests": errors.Throttled,
    "RequestLimitExceeded": errors.Throttled,
    "BadDigest": errors.ChecksumRefused,
    "InvalidDigest": errors.ChecksumRefused,
    "XAmzContentSHA256Mismatch": errors.ChecksumRefused,
    "XAmzContentChecksumMismatch": errors.ChecksumRefused,
    "PreconditionFailed": errors.PreconditionFailed,
    "ConditionalRequestConflict": errors.StoreFault,
    "OperationAborted": errors.StoreFault,
    "RequestTimeout": errors.StoreFault,
    "IncompleteBody": errors.StoreFault,
    "NotImplemented": errors.NotSupported,
    "KeyTooLongError": errors.KeyUnsupported,
    "XMinioInvalidObjectName": errors.KeyUnsupported,
    "XMinioObjectNameTooLong": errors.KeyUnsupported,
    "XMinioInvalidResourceName": errors.KeyUnsupported,
    "XMinioStorageFull": errors.RequestRefused,
}

_STARTING = "XMinioServerNotInitialized"
"""A MinIO that has just started; like each of its 503 it asks for 60 seconds, and it needs one."""

_BY_STATUS: dict[int, type[LakebedError]] = {
    401: errors.CredentialsRefused,
    403: errors.AccessDenied,
    404: errors.ObjectMissing,
    412: errors.PreconditionFailed,
    429: errors.Throttled,
    501: errors.NotSupported,
    503: errors.Throttled,
}

_ADVICE: dict[type[LakebedError], str] = {
    errors.BucketMissing: "create the bucket, or correct its name",
    errors.AccessDenied: "ask for this permission, or use other credentials",
    errors.CredentialsRefused: "check access_key, secret_key, session_token and region",
    errors.ClockSkew: "set this machine's clock; stores allow 15 minutes",
    errors.KeyUnsupported: "this store cannot hold such a key",
}


def error_of(answer: Answer, subject: str) -> LakebedError:
    """The error of our tree for an answer that is not a success, or that hides an error in a 200.

    `subject` is the object, bucket or store that was asked for.
    """
    fields = _error_fields(answer.content)
    code = fields.get("Code", "")
    kind = _BY_CODE.get(code) or _BY_STATUS.get(answer.status)
    if kind is None:
        kind = errors.StoreFault if answer.status >= 500 else errors.RequestRefused
        if answer.status < 300:
            kind = errors.StoreFault
    said = ": ".join(filter(None, (code, fields.get("Message", ""))))
    what = f"the store answered {answer.status}" + (f" {said}" if said else "")
    if code == _STARTING:
        starting = errors.StoreUnreachable(what, subject=subject, status=answer.status)
        starting.connected = False
        return starting
    region = _one_line(answer.headers.get("x-amz-bucket-region") or fields.get("Region", ""))
    advice = _ADVICE.get(kind, "")
    if answer.status in (301, 307, 308):
        advice = "the bucket is elsewhere: correct `region` and `endpoint` of this store"
    if region and answer.status in (301, 307, 308, 400):
        advice = f'set region = "{region}" for this store'
    if issubclass(kind, errors.StoreError):
        return kind(
            what,
            subject=subject,
            advice=advice,
            retry_after=_seconds(answer.headers.get("retry-after")),
            status=answer.status,
        )
    return kind(what, subject=subject, advice=advice)


def _error_fields(content: bytes) -> dict[str, str]:
    root = _root_of(content)
    if root is None or local(root.tag) != "Error":
        return {}
    return {local(child.tag): _one_line(child.text or "") for child in root}


def _root_of(content: bytes) -> ElementTree.Element | None:
    """None where it is no XML; an encoding that nobody knows, or of several bytes, is none."""
    try:
        return ElementTree.fromstring(content.strip())
    except (ElementTree.ParseError, LookupError, ValueError):
        return None


def _one_line(text: str) -> str:
    """What a store says ends up in a terminal and in the ledger: a line, and not a long one."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _seconds(retry_after: str | None) -> float | None:
    """Both forms of RFC 9110: seconds, or the moment until which to stay away."""
    text = (retry_after or "").strip()
    if text.isdecimal():
        return float(text)
    until = moment_of(text) if text else None
    left = (until - datetime.now(UTC)).total_seconds() if until else 0.0
    return left if left > 0 else None  # a moment that is past asks for nothing


def moment_of(text: str) -> datetime | None:
    # Takes longer to import than most commands have to wait for: only few ask for a moment.
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def local(tag: str) -> str:
    """An element's name without its namespace, which stores write differently."""
    return tag.rpartition("}")[2]


def document(answer: Answer, root: str, subject: str) -> ElementTree.Element:
    """The answer's XML where its root element is `root`; else the error that it is.

    S3 may send status 200 and then an error document (CompleteMultipartUpload, CopyObject).
    """
    element = _root_of(answer.content)
    name = local(element.tag) if element is not None else ""
    if element is not None and name == root:
        return element
    if name == "Error":
        raise error_of(answer, subject)
    raise errors.StoreFault(
        f"the store answered {answer.status} with something that is no {root}",
        subject=subject,
        advice="is `endpoint` an S3 endpoint, and not a web page or a console?",
    )


def text_of(element: ElementTree.Element, name: str) -> str:
    """The text of the first child called `name`, empty where there is none."""
    return next((child.text or "" for child in element if local(child.tag) == name), "")


def required(element: ElementTree.Element, name: str, subject: str) -> str:
    """As `text_of`; StoreFault where there is none, for nothing can be done without it."""
    text = text_of(element, name)
    if not text:
        raise errors.StoreFault(f"the store answered with no {name}", subject=subject)
    return text


def texts(element: ElementTree.Element, *path: str) -> Iterator[ElementTree.Element]:
    """Each element at the end of `path`, by names without namespace."""
    if not path:
        yield element
        return
    for child in element:
        if local(child.tag) == path[0]:
            yield from texts(child, *path[1:])
