"""What a client does with answers, and without: problems as errors, trying again, the token."""

import asyncio
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from lakebed.api.answers import Accepted, OperationStatus
from lakebed.api.client import Client
from lakebed.api.requests import SyncRequest
from lakebed.errors import (
    BucketMissing,
    ConfigurationError,
    ExecutorError,
    ExecutorUnreachable,
    LakebedError,
    LedgerError,
    TooManyRequests,
    every_error,
)
from lakebed.executor import problems
from tests.api.scripted import Answer, Scripted, problem

ACCEPTED = {
    "operation_id": "1M7YYM0G0QAYJ2SP",
    "state": "queued",
    "progress_url": "/api/v1/operations/1M7YYM0G0QAYJ2SP",
    "events_url": "/api/v1/operations/1M7YYM0G0QAYJ2SP/events",
}
REQUEST = SyncRequest(source="a:b/", destination="c:d/")


def _taken() -> httpx2.Response:
    return httpx2.Response(202, json=ACCEPTED)


async def _sync(script: Scripted, patience: float = 60.0) -> Accepted:
    async with script.client(patience) as client:
        return await client.sync(REQUEST)


async def _status(client: Client) -> OperationStatus:
    async with client:
        return await client.operation("1M7")


def _raised(*answers: Answer, patience: float = 60.0) -> LakebedError:
    with pytest.raises(LakebedError) as raised:
        asyncio.run(_status(Scripted(answers).client(patience)))
    return raised.value


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.code)
def test_an_error_of_the_executor_is_the_same_error_here(
    kind: type[LakebedError], paused: list[float]
) -> None:
    more = {"retry_after": 2.0} if issubclass(kind, TooManyRequests) else {}
    there = kind("it failed", subject="lake:bronze/a.zip", advice="try another one", **more)
    app = FastAPI()
    problems.add_to(app)

    @app.get("/api/v1/operations/1M7")
    async def operation() -> None:
        raise there

    client = Client("http://executor.test", transport=httpx2.ASGITransport(app))
    with pytest.raises(LakebedError) as raised:
        asyncio.run(_status(client))
    here = raised.value
    assert type(here) is kind
    told = str(there)
    if kind is LedgerError:  # what it says of the database is for those who have the log
        told = "the database does not do what it is asked: the log has more"
    assert (str(here), here.exit_code, here.retryable) == (
        told,
        there.exit_code,
        there.retryable,
    )


def test_a_code_of_a_later_version_says_at_least_whether_to_try_again(paused: list[float]) -> None:
    assert type(_raised(problem(409, "of-tomorrow"))) is ExecutorError
    assert type(_raised(problem(503, "of-tomorrow"))) is ExecutorUnreachable


@pytest.mark.parametrize("status", [301, 404, 500])
def test_what_is_no_executor_is_named_as_such(status: int) -> None:
    script = Scripted([httpx2.Response(status, text="<html>", headers={"Location": "/else"})])
    with pytest.raises(ExecutorError, match=f"no executor: status {status}"):
        asyncio.run(_status(script.client()))
    assert len(script.requests) == 1, "it is neither followed nor tried again"


def test_an_answer_of_another_shape_is_not_taken_for_one() -> None:
    assert "not understood: operation_id" in str(_raised(httpx2.Response(200, json={})))


def test_what_is_away_is_asked_again_with_the_same_key(paused: list[float]) -> None:
    script = Scripted(
        [
            httpx2.ConnectError("refused"),
            httpx2.ReadError("reset"),
            problem(503, LedgerError.code),
            httpx2.Response(502, text="bad gateway"),
            _taken(),
        ]
    )
    assert asyncio.run(_sync(script)).operation_id == ACCEPTED["operation_id"]
    assert len({one.headers["Idempotency-Key"] for one in script.requests}) == 1
    assert len({one.content for one in script.requests}) == 1
    assert len(paused) == 4


def test_two_requests_have_two_keys() -> None:
    script = Scripted([_taken()])
    asyncio.run(_sync(script))
    asyncio.run(_sync(script))
    assert len({one.headers["Idempotency-Key"] for one in script.requests}) == 2


def test_the_executor_says_how_long_to_wait(paused: list[float]) -> None:
    busy = problem(429, TooManyRequests.code, Retry_After="7")
    asyncio.run(_sync(Scripted([busy, _taken()])))
    assert 7.0 <= paused[0] <= 7.25


def test_a_wait_that_is_longer_than_its_patience_is_not_begun(paused: list[float]) -> None:
    error = _raised(problem(429, TooManyRequests.code, Retry_After="7"), patience=5.0)
    assert isinstance(error, TooManyRequests)
    assert (error.retry_after, paused) == (7.0, [])


def test_it_gives_up_after_some_tries(paused: list[float]) -> None:
    assert isinstance(_raised(httpx2.ConnectError("refused")), ExecutorUnreachable)
    assert len(paused) == 8


def test_what_the_executor_refuses_is_not_asked_again(paused: list[float]) -> None:
    script = Scripted([problem(502, BucketMissing.code)])
    with pytest.raises(BucketMissing):
        asyncio.run(_status(script.client()))
    assert (len(script.requests), paused) == (1, [])


@pytest.mark.parametrize(
    ("answer", "requests"), [(httpx2.ConnectError("refused"), 9), (httpx2.ReadError("reset"), 1)]
)
def test_a_resume_is_repeated_only_where_it_cannot_have_arrived(
    answer: Exception, requests: int, paused: list[float]
) -> None:
    script = Scripted([answer])

    async def resume() -> None:
        async with script.client() as client:
            await client.resume("1M7")

    with pytest.raises(ExecutorUnreachable):
        asyncio.run(resume())
    assert len(script.requests) == requests


@pytest.mark.parametrize(
    "url", ["", "executor:8080", "ftp://executor", "http://", "http://me:secret@executor"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not the address of an executor") as raised:
        Client(url)
    assert "secret" not in str(raised.value)


def test_the_address_and_the_token_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "token"
    secret.write_text("of-a-file\n")
    secret.chmod(0o600)
    monkeypatch.setenv("LAKEBED_EXECUTOR_URL", "https://lakebed.example/")
    monkeypatch.setenv("LAKEBED_EXECUTOR_TOKEN", f"file:{secret}")
    assert Client().url == "https://lakebed.example"
    script = Scripted([_taken()])
    asyncio.run(_sync(script))
    assert script.requests[0].headers["Authorization"] == "Bearer of-a-file"


def test_a_token_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "a-token")
    script = Scripted([_taken()])
    client = script.client(token="env:OTHER")
    asyncio.run(client.sync(REQUEST))
    assert script.requests[0].headers["Authorization"] == "Bearer a-token"
    assert "a-token" not in repr(client) + repr(vars(client)) + repr(client._connection)


@pytest.mark.parametrize("token", ["env:NOT_SET", "two\nlines", "übel"])
def test_a_token_that_cannot_be_sent_is_refused(token: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Client("http://executor.test", token=token)
    assert "lines" not in str(raised.value)


def test_without_a_token_none_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKEBED_EXECUTOR_TOKEN", raising=False)
    script = Scripted([_taken()])
    asyncio.run(_sync(script))
    assert "Authorization" not in script.requests[0].headers
