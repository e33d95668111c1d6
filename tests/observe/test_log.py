"""The log: one line a message, and no secret in it."""

import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakebed.observe.log import (
    HIDDEN,
    Carried,
    JsonLine,
    StandardError,
    carrying,
    configure,
    level_of,
    redact,
)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("lakebed")
    handlers, level = root.handlers[:], ours.level
    yield
    root.handlers[:] = handlers
    ours.setLevel(level)


def test_a_message_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    configure(logging.WARNING)
    configure(logging.WARNING)
    logging.getLogger("lakebed.x").warning("one\ntwo")
    logging.getLogger("lakebed.x").info("unheard")
    logging.getLogger("other").info("unheard")
    assert capsys.readouterr().err == "warning: one two\n"


def test_debug_adds_the_time_the_module_and_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    configure(logging.DEBUG)
    log = logging.getLogger("lakebed.x")
    try:
        raise ValueError("token=hush")
    except ValueError:
        log.exception("failed")
    err = capsys.readouterr().err
    assert " lakebed.x error: failed\nTraceback" in err
    assert "hush" not in err
    log.debug("plain")
    assert capsys.readouterr().err.endswith(" lakebed.x debug: plain\n")


def test_a_trace_is_for_debug_only(capsys: pytest.CaptureFixture[str]) -> None:
    configure(logging.WARNING)
    try:
        raise ValueError("x")
    except ValueError:
        logging.getLogger("botocore").warning("refresh failed", exc_info=True)
    assert capsys.readouterr().err == "warning: refresh failed\n"


def test_the_stream_is_always_stderr() -> None:
    with pytest.raises(AttributeError):
        StandardError().stream = None  # type: ignore[assignment]  # what a caller must not do


@pytest.mark.parametrize(
    ("verbose", "quiet", "debug", "level"),
    [
        (0, False, False, logging.WARNING),
        (0, True, False, logging.ERROR),
        (1, False, False, logging.INFO),
        (2, False, False, logging.DEBUG),
        (0, True, True, logging.DEBUG),
    ],
)
def test_the_options_say_how_much(verbose: int, quiet: bool, debug: bool, level: int) -> None:
    assert level_of(verbose, quiet, debug, "warning") == level


@pytest.mark.parametrize(
    "text",
    [
        "GET /b/k?X-Amz-Signature=hush&a=b",
        "x-amz-security-token: hush",
        "X-Amz-Credential=hush/20260101/us-east-1/s3/aws4_request",
        "Authorization: AWS4-HMAC-SHA256 Credential=hush/x, SignedHeaders=host, Signature=hush",
        "authorization: Bearer hush",
        "postgresql://user:hush@host/db",
        "secret_key = 'hush'",
        "aws_secret_access_key=hush",
        "password: hush",
        '{"session_token": "hush"}',
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    assert "hush" not in redact(text)
    assert HIDDEN in redact(text)


def test_an_access_key_is_hidden() -> None:
    assert redact("key AKIAIOSFODNN7EXAMPLE refused") == f"key {HIDDEN} refused"


@pytest.mark.parametrize(
    "text",
    [
        "data/spot/BTCUSDT-1m.zip: no token in the answer",
        "a:b@c",
        "stores.lake.secret_key: cannot read the secret from /nope",
        "stores.lake.session_token: the environment variable X is not set",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_a_line_of_json_says_of_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    configure(logging.WARNING, as_json=True, process=Carried("1M7", "f0", caller="key:1"))
    log = logging.getLogger("lakebed.x")
    log.warning("one\ntwo\u2028{} password=hush")
    with carrying("", "ab", "cd", "key:2"):
        log.warning("later")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "warning",
        "logger": "lakebed.x",
        "message": f"one\ntwo\u2028{{}} password={HIDDEN}",
        "operation_id": "1M7",
        "trace_id": "f0",
        "caller": "key:1",
    }
    assert (second["operation_id"], second["trace_id"]) == ("1M7", "ab")
    assert (second["span_id"], second["caller"]) == ("cd", "key:2")


def test_a_defect_is_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure(logging.WARNING, as_json=True)
    try:
        raise ValueError("token=hush")
    except ValueError:
        logging.getLogger("lakebed.x").exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "Traceback" in json.loads(line)["exception"]
    assert "hush" not in line


def test_a_trace_without_an_operation_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    configure(logging.WARNING)
    with carrying("", "ab"):
        logging.getLogger("lakebed.x").warning("x")
    assert capsys.readouterr().err == "warning: x [trace ab]\n"


@given(st.text())
def test_no_message_is_more_than_one_line_of_json(text: str) -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": (text,), "name": text})
    line = JsonLine().format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == redact(text)
