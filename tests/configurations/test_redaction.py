"""No secret of any configuration is shown, compared, recorded, or repeated in an error."""

import json
import logging
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from lakebed.configurations.difference import changes
from lakebed.configurations.effective import canonical, contents, effective
from lakebed.configurations.history import History, recordable
from lakebed.database.transaction import reading
from lakebed.errors import LakebedError
from lakebed.settings.check import check
from lakebed.settings.layers import Sources

MARK = "hUsH"
SECRET = st.text("ab/?:@#%& .'=", max_size=6).map(lambda noise: f"{MARK}{noise}{MARK}")
FIELDS = ("secret_key", "session_token", "access_key", "proxy", "ledger")
KEYS = st.sampled_from(FIELDS)
NAME_ALONE, OPTION = "http://{0}@proxy:1", "postgresql://h/db?x={0}&y=1"
SHAPES = st.sampled_from(
    [
        "{0}",
        "http://u:{0}@proxy:1",
        NAME_ALONE,
        "postgresql://u:{0}@h/db",
        "postgresql://h/db?password={0}",
        OPTION,
        "postgresql://u:{0}",
    ]
)
WRONG = st.sampled_from(["", "log = 3\n", "x = [\n", "lgo = 1\n", "executor.running = 0\n"])


def is_open(key: str, shape: str) -> bool:
    """Whether it may stand in a file: who asks, and options of a database by names of no secret."""
    return key == "access_key" or (key == "ledger" and shape in (NAME_ALONE, OPTION))


@st.composite
def configurations(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A text and variables, with secrets where people put them; not all of it is sound."""
    shapes = draw(st.dictionaries(KEYS, SHAPES))
    secrets = {key: shape.format(draw(SECRET)) for key, shape in shapes.items()}
    written = {
        key: not is_open(key, shape) and draw(st.booleans()) for key, shape in shapes.items()
    }
    lines = [draw(WRONG), "".join(f"# {key} = {value}\n" for key, value in secrets.items())]
    if "ledger" in secrets and written["ledger"]:
        lines.append(f"ledger = {json.dumps(secrets['ledger'])}\n")
    lines.append("[stores.lake]\n")
    environ = {}
    for key, value in secrets.items():
        if not written[key]:
            name = "LEDGER" if key == "ledger" else f"STORES__LAKE__{key.upper()}"
            environ[f"LAKEBED_{name}"] = value
        elif key != "ledger":
            lines.append(f"{key} = {json.dumps(value)}\n")
    return "".join(lines), environ


@pytest.fixture
def history(sqlite: Engine) -> History:
    return History(sqlite)


@given(configurations(), st.sampled_from(["", "production"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_secret_is_told_anywhere(
    tmp_path: Path,
    history: History,
    sqlite: Engine,
    caplog: pytest.LogCaptureFixture,
    configuration: tuple[str, dict[str, str]],
    environment: str,
) -> None:
    written, environ = configuration
    path = tmp_path / "lakebed.toml"
    path.write_text(written)
    sources = Sources(path, {**environ, "LAKEBED_ENV": environment}, tmp_path)
    told: list[object] = [sources]
    with caplog.at_level(logging.DEBUG):
        verdict = check(sources)
        told += [json.dumps([asdict(one) for one in verdict.findings]), *verdict.findings, verdict]
        try:
            layers = sources.read()
            values = effective(layers, layers.written())
            content = contents(values)
            told += [layers, values, canonical(content), changes({}, content), changes(content, {})]
            told.append(history.record(layers, "somebody"))
        except LakebedError as error:
            told += [error, repr(error)]
        with suppress(LakebedError):
            sources.read().settings()
    with reading(sqlite) as connection:
        told += connection.execute(text("SELECT * FROM configurations")).all()
    assert MARK not in " ".join(f"{one} {one!r}" for one in told) + caplog.text


@given(st.sampled_from(FIELDS), SECRET, st.sampled_from(["=", " = ", ": "]))
def test_no_secret_of_a_comment_is_recorded(key: str, secret: str, sign: str) -> None:
    line = f"log = 'info' # before: {key}{sign}{secret.replace(chr(10), '')}\n"
    assert MARK not in recordable(line)
    assert recordable(line).startswith("log = 'info' # before: ")
