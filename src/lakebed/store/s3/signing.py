"""AWS Signature Version 4 for S3, by header, with the payload unsigned or named by its SHA-256.

Source: "Authenticating Requests: Using the Authorization Header", Amazon S3 API reference; the
published examples are the tests. S3 takes the path as it is sent: encoded once, not normalised.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

from lakebed.store.s3.credentials import Credentials

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_ALGORITHM = "AWS4-HMAC-SHA256"


def quote_key(key: str) -> str:
    """The path of a key: UTF-8, each byte percent-encoded once but the unreserved ones and `/`."""
    return quote(key, safe="/~-._")


def quote_query(query: Iterable[tuple[str, str]]) -> str:
    """The canonical query string, which is also the one to send: strictly encoded, by name."""
    encoded = sorted((quote(k, safe="~-._"), quote(v, safe="~-._")) for k, v in query)
    return "&".join(f"{name}={value}" for name, value in encoded)


@lru_cache(maxsize=64)
def _signing_key(secret_key: str, day: str, region: str) -> bytes:
    key = b"AWS4" + secret_key.encode()
    for scope in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, scope.encode(), "sha256")
    return key


def _stamp(moment: datetime) -> str:
    # Ten times cheaper than strftime, and needed for each request.
    m = moment
    return f"{m.year:04}{m.month:02}{m.day:02}T{m.hour:02}{m.minute:02}{m.second:02}Z"


def _canonical(value: str) -> str:
    """Runs of blanks are one blank, and none at the ends."""
    return " ".join(value.split()) if "  " in value or value != value.strip() else value


def sign(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    *,
    credentials: Credentials,
    region: str,
    moment: datetime,
) -> dict[str, str]:
    """The headers to send, all of them signed.

    `path` and `query` are encoded as they are sent; `headers` have lower-case names, hold `host`,
    and may hold `x-amz-content-sha256` (else the payload is unsigned). `moment` is in UTC.
    """
    stamp = _stamp(moment)
    signed = {"x-amz-content-sha256": UNSIGNED_PAYLOAD, **headers, "x-amz-date": stamp}
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    names = sorted(signed)
    canonical_headers = "".join([f"{name}:{_canonical(signed[name])}\n" for name in names])
    names_line = ";".join(names)
    canonical = (
        f"{method}\n{path}\n{query}\n{canonical_headers}\n"
        f"{names_line}\n{signed['x-amz-content-sha256']}"
    )
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode(errors="surrogateescape")).hexdigest()
    signature = hmac.digest(
        _signing_key(credentials.secret_key, stamp[:8], region),
        f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}".encode(),
        "sha256",
    ).hex()
    signed["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope},"
        f"SignedHeaders={names_line},Signature={signature}"
    )
    return signed
