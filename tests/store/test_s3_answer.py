"""What an answer means: each status and code, and the words that come with it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from lakebed import errors
from lakebed.errors import LakebedError, StoreError
from lakebed.store.s3.answer import Answer, document, error_of, local, text_of, texts


def xml(code: str, message: str = "no", *more: str) -> bytes:
    inside = "".join((f"<Code>{code}</Code><Message>{message}</Message>", *more))
    return f'<?xml version="1.0"?><Error>{inside}</Error>'.encode()


def error(
    status: int, content: bytes = b"", headers: Mapping[str, str] | None = None
) -> LakebedError:
    return error_of(Answer(status, headers or {}, content), "lake:bucket/key")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "NoSuchKey", errors.ObjectMissing),
        (404, "NoSuchUpload", errors.ObjectMissing),
        (404, "NoSuchBucket", errors.BucketMissing),
        (400, "InvalidBucketName", errors.BucketMissing),
        (403, "AccessDenied", errors.AccessDenied),
        (403, "InvalidAccessKeyId", errors.CredentialsRefused),
        (403, "SignatureDoesNotMatch", errors.CredentialsRefused),
        (400, "ExpiredToken", errors.CredentialsRefused),
        (400, "InvalidToken", errors.CredentialsRefused),
        (400, "AuthorizationHeaderMalformed", errors.CredentialsRefused),
        (403, "RequestTimeTooSkewed", errors.ClockSkew),
        (503, "SlowDown", errors.Throttled),
        (429, "TooManyRequests", errors.Throttled),
        (400, "BadDigest", errors.ChecksumRefused),
        (400, "XAmzContentChecksumMismatch", errors.ChecksumRefused),
        (412, "PreconditionFailed", errors.PreconditionFailed),
        (409, "ConditionalRequestConflict", errors.StoreFault),
        (400, "RequestTimeout", errors.StoreFault),
        (501, "NotImplemented", errors.NotSupported),
        (400, "KeyTooLongError", errors.KeyUnsupported),
        (400, "XMinioInvalidObjectName", errors.KeyUnsupported),
        (507, "XMinioStorageFull", errors.RequestRefused),
        (500, "InternalError", errors.StoreFault),
        (400, "InvalidArgument", errors.RequestRefused),
        (200, "InternalError", errors.StoreFault),
        (200, "AccessDenied", errors.AccessDenied),
    ],
)
def test_a_code_is_its_error(status: int, code: str, kind: type[LakebedError]) -> None:
    assert type(error(status, xml(code))) is kind


def test_a_minio_that_starts_is_gone_and_not_slow() -> None:
    starting = error(503, xml("XMinioServerNotInitialized"), {"retry-after": "60"})
    assert isinstance(starting, errors.StoreUnreachable)
    assert (starting.connected, starting.retry_after) == (False, None)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, errors.StoreFault),
        (304, errors.RequestRefused),
        (400, errors.RequestRefused),
        (401, errors.CredentialsRefused),
        (403, errors.AccessDenied),
        (404, errors.ObjectMissing),
        (405, errors.RequestRefused),
        (412, errors.PreconditionFailed),
        (416, errors.RequestRefused),
        (429, errors.Throttled),
        (500, errors.StoreFault),
        (501, errors.NotSupported),
        (502, errors.StoreFault),
        (503, errors.Throttled),
        (504, errors.StoreFault),
    ],
)
@pytest.mark.parametrize(
    "content", [b"", b"<html>down</html>", b"gone"], ids=["none", "html", "text"]
)
def test_a_status_without_a_code_is_its_error(
    status: int, kind: type[LakebedError], content: bytes
) -> None:
    refused = error(status, content)
    assert type(refused) is kind
    assert refused.what == f"the store answered {status}"


def test_an_error_says_what_the_store_said_and_on_what() -> None:
    refused = error(403, xml("AccessDenied", "not you"))
    assert str(refused).startswith(
        "lake:bucket/key: the store answered 403 AccessDenied: not you (ask for this permission"
    )


def test_a_code_in_a_namespace_is_read() -> None:
    content = (
        b'<Error xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Code>NoSuchKey</Code></Error>'
    )
    assert type(error(400, content)) is errors.ObjectMissing


def test_what_a_store_says_becomes_one_short_line() -> None:
    refused = error(400, xml("Odd", "one\n two\t\x85\u2028three " + "x" * 1000))
    assert "Odd: one two three xxx" in refused.what
    assert refused.what.isprintable()
    assert len(refused.what) < 400


def test_only_code_and_message_are_repeated() -> None:
    refused = error(403, xml("SignatureDoesNotMatch", "no", "<StringToSign>hush</StringToSign>"))
    assert "hush" not in f"{refused} {refused!r}"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), (" 7 ", 7.0), ("0", 0.0), ("", None), ("²", None), ("-1", None), ("soon", None)],
)
def test_retry_after_is_read_in_seconds(said: str, seconds: float | None) -> None:
    refused = error(503, xml("SlowDown"), {"retry-after": said})
    assert isinstance(refused, StoreError)
    assert refused.retry_after == seconds


def test_retry_after_may_be_a_moment() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    asked = error(503, xml("SlowDown"), {"retry-after": in_a_minute})
    past = error(503, xml("SlowDown"), {"retry-after": "Sat, 01 Jan 2000 00:00:00 GMT"})
    assert isinstance(asked, StoreError)
    assert isinstance(past, StoreError)
    assert asked.retry_after == pytest.approx(60, abs=30)
    assert past.retry_after is None


def test_a_store_that_asks_for_no_pause_gets_none() -> None:
    refused = error(503)
    assert isinstance(refused, StoreError)
    assert refused.retry_after is None


@pytest.mark.parametrize("status", [301, 307, 308, 400])
def test_a_wrong_region_names_the_right_one(status: int) -> None:
    advice = 'set region = "eu-west-1" for this store'
    assert error(status, b"", {"x-amz-bucket-region": "eu-west-1"}).advice == advice
    content = xml("AuthorizationHeaderMalformed", "no", "<Region>eu-west-1</Region>")
    assert error(status, content).advice == advice


def test_a_redirect_without_a_region_says_what_to_correct() -> None:
    assert "correct `region` and `endpoint`" in error(301, xml("PermanentRedirect")).advice


def test_a_region_is_no_advice_where_the_region_is_right() -> None:
    refused = error(403, xml("AccessDenied"), {"x-amz-bucket-region": "eu-west-1"})
    assert "region" not in refused.advice


def test_a_key_that_the_store_cannot_hold_is_the_objects_own_failure() -> None:
    refused = error(400, xml("KeyTooLongError"), {"retry-after": "1"})
    assert not isinstance(refused, StoreError)
    assert refused.advice == "this store cannot hold such a key"


# --- documents -----------------------------------------------------------------------------------


def test_a_document_is_read_with_and_without_a_namespace() -> None:
    for space in ("", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'):
        content = f"<Tagging{space}><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>".encode()
        root = document(Answer(200, {}, content), "Tagging", "")
        assert [text_of(tag, "Key") for tag in texts(root, "TagSet", "Tag")] == ["a"]
        assert text_of(root, "Absent") == ""
        assert list(texts(root, "Absent", "Tag")) == []


def test_spaces_before_a_document_are_no_part_of_it() -> None:
    """S3 keeps a connection alive with them while it completes an upload."""
    content = b'\n  \n<?xml version="1.0"?><Done><ETag>"a"</ETag></Done>'
    assert text_of(document(Answer(200, {}, content), "Done", ""), "ETag") == '"a"'


def test_an_error_inside_a_success_is_an_error() -> None:
    with pytest.raises(errors.StoreFault, match="lake:bucket/key: the store answered 200 Internal"):
        document(Answer(200, {}, b"\n" + xml("InternalError")), "Done", "lake:bucket/key")


@pytest.mark.parametrize("content", [b"", b"<html/>", b"<html><br></html>", b"{}"])
def test_what_is_no_document_asks_what_the_endpoint_is(content: bytes) -> None:
    with pytest.raises(errors.StoreFault, match=r"no Done.*is `endpoint` an S3 endpoint"):
        document(Answer(200, {}, content), "Done", "lake:bucket")


def test_a_tag_is_local_without_its_namespace() -> None:
    assert local("{http://s3.amazonaws.com/}Key") == local("Key") == "Key"
