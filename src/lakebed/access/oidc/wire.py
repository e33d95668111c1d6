"""Asking an issuer: within a deadline, never more than so many bytes, without redirects."""

import asyncio
import json
from collections.abc import Mapping

import httpx2

from lakebed.errors import IssuerAway, Unauthenticated
from lakebed.settings.access import is_loopback, is_private_to

DEADLINE = 5.0
MOST_BYTES = 1024 * 1024

Json = dict[str, object]


async def ask(
    url: str,
    form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    deadline: float = DEADLINE,
) -> Json:
    """The JSON object at `url`; with `form`, what it answers to that.

    Raises IssuerAway, and Unauthenticated where it refuses a form.
    """
    if not is_private_to(url):
        raise IssuerAway("an issuer is asked by https only", subject=url)
    try:
        async with asyncio.timeout(deadline):
            return _object(await _read(url, form, auth), url)
    except (TimeoutError, httpx2.HTTPError) as error:
        reason = str(error) or type(error).__name__
        raise IssuerAway(f"the issuer does not answer: {reason}", subject=url) from None


async def _read(url: str, form: Mapping[str, str] | None, auth: tuple[str, str] | None) -> bytes:
    local = is_loopback(httpx2.URL(url).host)
    async with (
        httpx2.AsyncClient(trust_env=not local, timeout=DEADLINE) as client,
        client.stream("GET" if form is None else "POST", url, data=form, auth=auth) as answer,
    ):
        if form is not None and answer.is_client_error:
            raise Unauthenticated("the issuer refuses this sign-in", advice="begin it again")
        if answer.status_code != 200:
            raise IssuerAway(f"the issuer answers with status {answer.status_code}", subject=url)
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > MOST_BYTES:
                raise IssuerAway("the issuer's answer has no end", subject=url)
        return bytes(body)


def _object(body: bytes, url: str) -> Json:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise IssuerAway("the issuer's answer is no JSON object", subject=url)
    return found
