"""A base file, one of the environment beside it, and what is refused of both."""

import logging
from pathlib import Path

import pytest

from lakebed.errors import ConfigurationError
from lakebed.settings import Settings, load
from lakebed.settings.file import beside
from lakebed.settings.layers import Sources


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "here"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def write(folder: Path, base: str | None = None, **environments: str) -> None:
    texts = {f"lakebed.{name}.toml": text for name, text in environments.items()}
    for name, text in texts.items() if base is None else {"lakebed.toml": base, **texts}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)


def in_environment(name: str, folder: Path, **variables: str) -> Settings:
    return load(None, {"LAKEBED_ENV": name, **variables}, folder)


LAKE = '[stores.lake]\nendpoint = "http://a"\nregion = "r"\ntimeouts = { stall = 1, total = 2 }\n'


def test_the_file_of_the_environment_lies_on_top_of_the_base(here: Path) -> None:
    write(here, LAKE, production='[stores.lake]\nendpoint = "http://b"\ntimeouts.stall = 9\n')
    store = in_environment("production", here).store("lake")
    assert (store.url, store.region) == ("http://b", "r")
    assert (store.timeouts.stall, store.timeouts.total) == (9, 2)
    assert load(None, {}, here).store("lake").url == "http://a"


def test_a_variable_lies_on_top_of_both(here: Path) -> None:
    write(here, LAKE, production='[stores.lake]\nendpoint = "http://b"\n')
    variable = {"LAKEBED_STORES__LAKE__ENDPOINT": "http://c"}
    assert in_environment("production", here, **variable).store("lake").url == "http://c"


def test_an_environment_needs_no_file_of_its_own(here: Path) -> None:
    write(here, LAKE)
    assert in_environment("development", here).store("lake").url == "http://a"


def test_an_environment_needs_no_base(here: Path) -> None:
    write(here, staging=LAKE)
    assert in_environment("staging", here).store("lake").url == "http://a"
    assert "lake" not in load(None, {}, here).stores


def test_an_environment_without_any_file_is_refused(here: Path) -> None:
    with pytest.raises(ConfigurationError, match="LAKEBED_ENV: no file of the environment staging"):
        in_environment("staging", here)


def test_the_files_of_one_place_are_read_and_of_no_other(here: Path, tmp_path: Path) -> None:
    at_home = tmp_path / "config" / "lakebed"
    at_home.mkdir(parents=True)
    write(at_home, LAKE)
    write(here, staging='log = "info"')
    assert "lake" not in in_environment("staging", here).stores
    assert "lake" in in_environment("production", here).stores


@pytest.mark.parametrize("name", ["Production", "../x", "a b", "a.b", "ä", "x\n"])
def test_what_is_no_name_of_an_environment_is_refused(here: Path, name: str) -> None:
    write(here, LAKE)
    with pytest.raises(ConfigurationError, match="LAKEBED_ENV: no name of an environment"):
        in_environment(name, here)


def test_beside_a_file_of_any_name_is_that_of_its_environment(here: Path) -> None:
    base = here / "fleet.toml"
    base.write_text(LAKE)
    assert beside(base, "staging") == here / "fleet.staging.toml"
    beside(base, "staging").write_text('log = "error"')
    assert load(base, {"LAKEBED_ENV": "staging"}, here).log == "error"


def test_a_base_that_is_named_has_to_be_there(here: Path) -> None:
    write(here, staging=LAKE)
    with pytest.raises(ConfigurationError, match=r"lakebed\.toml: cannot read"):
        load(here / "lakebed.toml", {"LAKEBED_ENV": "staging"}, here)


def test_a_file_of_an_environment_that_others_can_write_is_not_read(
    here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(here, LAKE, staging='[stores.lake]\nendpoint = "http://evil"\n')
    (here / "lakebed.staging.toml").chmod(0o666)
    with caplog.at_level(logging.WARNING, "lakebed"):
        assert in_environment("staging", here).store("lake").url == "http://a"
    assert "lakebed.staging.toml is not read: others can write here" in caplog.text


@pytest.mark.parametrize(
    ("base", "production", "file", "line"),
    [
        ("log = 3", "log = 'info'\nlog_ = 1", "lakebed.production.toml", 2),
        ("\nlog = 3", "\n\n[stores.lake]", "lakebed.toml", 2),
        (
            "[stores.lake]\nregion = 'a'",
            "\n\nstores.lake.region = ''",
            "lakebed.production.toml",
            3,
        ),
        ("log = ", "log = 'info'", "lakebed.toml", 1),
        ("log = 'info'", "\nlog = ", "lakebed.production.toml", 2),
        ("[stores.lake]\naccess_key = 'a'", "log = 'info'", "lakebed.toml", 1),
    ],
)
def test_what_is_wrong_is_said_of_the_file_and_the_line_that_say_it(
    here: Path, base: str, production: str, file: str, line: int
) -> None:
    write(here, base, production=production)
    with pytest.raises(ConfigurationError) as refused:
        in_environment("production", here)
    assert str(refused.value).startswith(f"{here / file}, line {line}: ")


def test_a_wrong_value_that_is_overridden_is_none(here: Path) -> None:
    write(here, "log = 3", production="log = 'info'")
    assert in_environment("production", here).log == "info"


def test_the_same_sources_can_be_asked_for_another_environment(here: Path) -> None:
    write(here, 'log = "error"', staging='log = "info"')
    sources = Sources(None, {}, here)
    assert sources.read().settings().log == "error"
    assert sources.of("staging").read().settings().log == "info"


def test_where_files_may_come_to_be_is_known_before_they_are_there(here: Path) -> None:
    sources = Sources(None, {"LAKEBED_ENV": "staging"}, here)
    assert set(sources.candidates()) >= {here / "lakebed.toml", here / "lakebed.staging.toml"}
    assert sources.place() == (here / "lakebed.toml", here / "lakebed.staging.toml")


def test_the_ledger_is_known_where_something_else_is_wrong(here: Path) -> None:
    (here / "url").write_text("postgresql://u:p@h/db")
    write(here, "ledger = 'file:url'\nlog = 3\n")
    assert Sources(None, {}, here).ledger() == "postgresql://u:p@h/db"
    write(here, "ledger = ", staging="state = 'x'")
    assert Sources(None, {"LAKEBED_ENV": "staging"}, here).ledger().endswith("/x/ledger.sqlite")


def test_a_ledger_that_nothing_readable_names_is_not_guessed(here: Path) -> None:
    write(here, "ledger = ")
    with pytest.raises(ConfigurationError, match="line 1"):
        Sources(None, {}, here).ledger()
    write(here, "ledger = 3")
    with pytest.raises(ConfigurationError, match="line 1: ledger"):
        Sources(None, {}, here).ledger()


SECRET = "[stores.lake]\naccess_key = 'a'\nsecret_key = 'hush'\n"


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_secret_in_a_file_of_a_guarded_environment_is_warned_of(
    here: Path, environment: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(here, SECRET)
    with caplog.at_level(logging.WARNING, "lakebed"):
        assert in_environment(environment, here).store("lake").authentication == "static"
    assert "line 3: stores.lake.secret_key: a secret does not belong in the file" in caplog.text
    assert "hush" not in caplog.text


def test_a_secret_in_any_other_file_is_taken_in_silence(
    here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(here, SECRET)
    with caplog.at_level(logging.WARNING, "lakebed"):
        load(None, {}, here)
        in_environment("development", here)
    assert caplog.text == ""
