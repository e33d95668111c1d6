"""Signatures: those that AWS published, and those that botocore makes of anything."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from lakebed.store.s3.credentials import Credentials
from lakebed.store.s3.signing import UNSIGNED_PAYLOAD, quote_key, quote_query, sign

EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = "examplebucket.s3.amazonaws.com"
MIDNIGHT = datetime(2013, 5, 24, tzinfo=UTC)
NOTHING = hashlib.sha256(b"").hexdigest()
WELCOME = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)


def signed(
    method: str,
    key: str = "",
    query: tuple[tuple[str, str], ...] = (),
    headers: Mapping[str, str] | None = None,
    *,
    credentials: Credentials = EXAMPLE,
    host: str = HOST,
    moment: datetime = MIDNIGHT,
) -> dict[str, str]:
    return sign(
        method,
        "/" + quote_key(key),
        quote_query(query),
        {"host": host, **(headers or {})},
        credentials=credentials,
        region="us-east-1",
        moment=moment,
    )


def signature(headers: Mapping[str, str]) -> str:
    return headers["authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize(
    ("method", "key", "query", "headers", "published"),
    [
        (
            "GET",
            "test.txt",
            (),
            {"range": "bytes=0-9", "x-amz-content-sha256": NOTHING},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "test$file.text",
            (),
            {
                "date": "Fri, 24 May 2013 00:00:00 GMT",
                "x-amz-storage-class": "REDUCED_REDUNDANCY",
                "x-amz-content-sha256": WELCOME,
            },
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "",
            (("lifecycle", ""),),
            {"x-amz-content-sha256": NOTHING},
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "",
            (("max-keys", "2"), ("prefix", "J")),
            {"x-amz-content-sha256": NOTHING},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
    ids=["get-a-range", "put", "get-lifecycle", "list"],
)
def test_a_published_example_has_its_published_signature(
    method: str,
    key: str,
    query: tuple[tuple[str, str], ...],
    headers: dict[str, str],
    published: str,
) -> None:
    assert signature(signed(method, key, query, headers)) == published


def test_the_authorization_names_key_scope_and_headers() -> None:
    headers = signed("GET", "test.txt", headers={"range": "bytes=0-9"})
    head, _, rest = headers["authorization"].partition(",")
    assert head == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
    )
    assert rest.startswith("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=")


def test_a_payload_without_a_digest_is_named_unsigned() -> None:
    assert signed("PUT", "a")["x-amz-content-sha256"] == UNSIGNED_PAYLOAD


def test_a_session_token_is_sent_and_signed() -> None:
    credentials = Credentials("key", "secret", "token")
    headers = signed("GET", "a", credentials=credentials)
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in headers["authorization"]
    assert "x-amz-security-token" not in signed("GET", "a")


def test_the_secret_is_in_no_header() -> None:
    headers = signed("PUT", "a", credentials=Credentials("key", "hush-hush", "token"))
    assert not any("hush-hush" in value for value in headers.values())


def test_a_signature_belongs_to_its_day_and_secret() -> None:
    later = datetime(2013, 5, 25, tzinfo=UTC)
    others = [
        signed("GET", "a", moment=later),
        signed("GET", "a", credentials=Credentials(EXAMPLE.access_key, "other")),
        signed("GET", "a", host="other.example"),
        signed("HEAD", "a"),
        signed("GET", "b"),
    ]
    signatures = {signature(headers) for headers in others}
    assert signature(signed("GET", "a")) not in signatures
    assert len(signatures) == len(others)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("/lead", "/lead"),
        ("a//b/../.", "a//b/../."),
        ("a b+c%d", "a%20b%2Bc%25d"),
        ("币?#&=", "%E5%B8%81%3F%23%26%3D"),
        ("~-._!*'()\n", "~-._%21%2A%27%28%29%0A"),
    ],
)
def test_a_key_is_encoded_once_and_not_normalised(key: str, path: str) -> None:
    assert quote_key(key) == path


def test_a_query_is_sorted_by_what_is_sent() -> None:
    query = (("prefix", "a b/"), ("Ä", ""), ("delimiter", "/"), ("a", "2"), ("a", "1"))
    assert quote_query(query) == "%C3%84=&a=1&a=2&delimiter=%2F&prefix=a%20b%2F"


@given(
    method=st.sampled_from(["GET", "PUT", "HEAD", "POST", "DELETE"]),
    key=TEXT,
    query=st.dictionaries(TEXT, TEXT, max_size=4),
    headers=st.dictionaries(NAMES.map("x-amz-meta-{}".format), VALUES, max_size=4),
    token=st.none() | VALUES.filter(str.strip),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),
)
def test_any_request_is_signed_as_botocore_signs_it(
    method: str,
    key: str,
    query: dict[str, str],
    headers: dict[str, str],
    token: str | None,
    moment: datetime,
) -> None:
    credentials = Credentials("AKID", "a/secret+key", token)
    ours = signed(
        method, key, tuple(query.items()), headers, credentials=credentials, moment=moment
    )
    assert signature(ours) == _oracle(ours, method, key, query, credentials)


def _oracle(
    sent: Mapping[str, str],
    method: str,
    key: str,
    query: Mapping[str, str],
    credentials: Credentials,
) -> str:
    """What botocore makes of a request with these headers, at the moment that they name."""
    url = f"https://{HOST}/{quote(key, safe='/~')}"
    named = {name: value for name, value in sent.items() if name != "authorization"}
    request = AWSRequest(method, url, headers=named, params=dict(query))
    request.context["timestamp"] = sent["x-amz-date"]
    request.context["payload_signing_enabled"] = False
    keys = BotoCredentials(
        credentials.access_key, credentials.secret_key, credentials.session_token
    )
    auth = S3SigV4Auth(keys, "s3", "us-east-1")
    canonical = auth.canonical_request(request)
    made: str = auth.signature(auth.string_to_sign(request, canonical), request)
    return made
