"""Requests to a server that is starting, before any client is made for it."""

import http.client
from datetime import UTC, datetime

from lakebed.local.address import Address
from lakebed.store.s3.credentials import Credentials
from lakebed.store.s3.signing import sign

_ANSWER_SECONDS = 5.0
_REGION = "us-east-1"
"""Where both engines take themselves to be."""


def knock(address: Address, credentials: Credentials, method: str, path: str) -> int | None:
    """The status of the answer to a signed request without a body; None where there is none.

    A stranger on the same port does not know the identity, so a 200 cannot be another server's.
    """
    headers = sign(
        method,
        path,
        "",
        {"host": str(address)},
        credentials=credentials,
        region=_REGION,
        moment=datetime.now(UTC),
    )
    connection = http.client.HTTPConnection(address.host, address.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
