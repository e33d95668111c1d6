"""The way to an executor: its address, the token, trying again, problems as errors."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import BaseModel, SecretStr, ValidationError

from lakebed import __version__
from lakebed.api.answers import Problem
from lakebed.api.endpoints import Endpoint
from lakebed.api.pauses import Pauses
from lakebed.api.problems import error_from
from lakebed.errors import ConfigurationError, ExecutorError, ExecutorUnreachable, LakebedError
from lakebed.settings.secret import reveal

try:
    import httpx2
except ImportError as absent:
    raise ConfigurationError(
        f"the client needs a package that is not installed ({absent.name})",
        advice="pip install 'lakebed[client]'",
    ) from None

URL, TOKEN = "LAKEBED_EXECUTOR_URL", "LAKEBED_EXECUTOR_TOKEN"
SILENCE = 45.0
"""Seconds without a byte after which a connection is given up: three pings of an event stream."""
CONNECT = 10.0
TRIES = 8
BUSY = (429, 503)
"""Statuses of an executor after which the same request may succeed later."""
AWAY = (502, 503, 504)
"""Statuses of what stands before an executor, where that is away."""
Query = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `again`: it may be sent again, whatever became of it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes | None
    again: bool


class Connection:
    """Used within one event loop. Raises ConfigurationError for what is no address."""

    def __init__(
        self,
        url: str | None,
        token: str | SecretStr | None,
        patience: float,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = _address(url or os.environ.get(URL, ""))
        self.patience = patience
        self._client = httpx2.AsyncClient(
            base_url=self.url,
            headers={"User-Agent": f"lakebed/{__version__}", **_authorization(token)},
            timeout=httpx2.Timeout(SILENCE, connect=CONNECT),
            transport=transport,
        )

    async def close(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def opened(self, asked: Asked) -> AsyncIterator[httpx2.Response]:
        """The answer, where it is one of success, its body not read yet.

        Raises the error that the executor tells of, ExecutorUnreachable where it tells nothing.
        """
        answer = await self._answered(asked)
        try:
            yield answer
        except httpx2.TransportError as error:
            raise self._unreachable(error) from None
        finally:
            await answer.aclose()

    async def _answered(self, asked: Asked) -> httpx2.Response:
        pauses = Pauses(self.patience, TRIES)
        while True:
            retry_after = None
            try:
                answer = await self._send(asked)
            except httpx2.TransportError as error:
                failure: LakebedError = self._unreachable(error)
                may = asked.again or isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout))
            else:
                if answer.is_success:
                    return answer
                retry_after = _retry_after(answer)
                failure = await self._refusal(answer, retry_after)
                is_busy = answer.status_code in BUSY or isinstance(failure, ExecutorUnreachable)
                may = is_busy and (asked.again or answer.status_code == 429)
            if not (may and await pauses.take(retry_after)):
                raise failure

    async def _send(self, asked: Asked) -> httpx2.Response:
        request = self._client.build_request(
            asked.method,
            asked.path,
            params=dict(asked.query),
            headers=dict(asked.headers),
            content=asked.content,
        )
        return await self._client.send(request, stream=True)

    async def _refusal(self, answer: httpx2.Response, retry_after: float | None) -> LakebedError:
        try:
            body = await answer.aread()
            return error_from(Problem.model_validate_json(body), retry_after)
        except httpx2.TransportError as error:
            return self._unreachable(error)
        except ValidationError:
            kind = ExecutorUnreachable if answer.status_code in AWAY else ExecutorError
            what = f"what answers is no executor: status {answer.status_code}"
            return kind(what, subject=self.url, advice="check the address")
        finally:
            await answer.aclose()

    def _unreachable(self, error: Exception) -> ExecutorUnreachable:
        why = str(error) or type(error).__name__
        return ExecutorUnreachable(f"the executor cannot be reached: {why}", subject=self.url)


def asked(
    endpoint: Endpoint[BaseModel],
    *,
    body: BaseModel | None = None,
    query: Query | None = None,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    path: Mapping[str, str] | None = None,
) -> Asked:
    """A request to an endpoint; of `query` what is None is left out."""
    told = dict(headers or {})
    if key is not None:
        told["Idempotency-Key"] = key
    content = None
    if body is not None:
        told["Content-Type"] = "application/json"
        content = body.model_dump_json(exclude_unset=True).encode()
    return Asked(
        endpoint.method,
        endpoint.path.format(
            **{name: quote(value, safe="") for name, value in (path or {}).items()}
        ),
        {name: _text(value) for name, value in (query or {}).items() if value is not None},
        told,
        content,
        again=key is not None or (endpoint.is_repeatable and not endpoint.takes_key),
    )


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _address(url: str) -> str:
    try:
        read = httpx2.URL(url)
        is_one = read.scheme in ("http", "https") and bool(read.host) and not read.userinfo
    except httpx2.InvalidURL:
        is_one = False
    if not is_one:
        raise ConfigurationError(
            "not the address of an executor",
            subject="" if "@" in url else url,
            advice=f"write http://127.0.0.1:8080 or https://…, or set {URL}",
        )
    return url.rstrip("/")


def _authorization(token: str | SecretStr | None) -> dict[str, str]:
    given = token if token is not None else os.environ.get(TOKEN, "")
    secret = given if isinstance(given, SecretStr) else SecretStr(given)
    if not secret.get_secret_value():
        return {}
    shown = reveal(secret, os.environ, TOKEN).strip()
    if not (shown.isascii() and shown.isprintable()):
        raise ConfigurationError("a token is printable ASCII", subject=TOKEN)
    return {"Authorization": f"Bearer {shown}"}


def _retry_after(answer: httpx2.Response) -> float | None:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else None
