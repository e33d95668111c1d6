"""All that is wrong at once, and where secrets do not belong."""

from pathlib import Path

import pytest

from lakebed.settings.check import Verdict, check
from lakebed.settings.file import parsed
from lakebed.settings.layers import Layers, Sources
from lakebed.settings.literal import is_literal, literals


def verdict(folder: Path, text: str, environment: str = "", **variables: str) -> Verdict:
    path = folder / "lakebed.toml"
    path.write_text(text)
    return check(Sources(path, {"LAKEBED_ENV": environment, **variables}, folder))


def told(found: Verdict, level: str = "error") -> list[tuple[str, int | None]]:
    return [(one.key or one.where, one.line) for one in found.findings if one.level == level]


def test_everything_that_is_wrong_is_found_at_once(tmp_path: Path) -> None:
    text = (
        "log = 'loud'\nlgo = 1\n[stores.lake]\nregion = ''\nendpoint = 'x'\n[executor]\nruning = 1"
    )
    found = verdict(tmp_path, text, LAKEBED_BANDWIDTH="lots")
    assert set(told(found)) == {
        ("log", 1),
        ("lgo", 2),
        ("stores.lake.region", 4),
        ("stores.lake.endpoint", 5),
        ("executor.runing", 7),
        ("LAKEBED_BANDWIDTH", None),
    }
    assert found.settings is None
    assert "did you mean running?" in " ".join(map(str, found.findings))


def test_both_files_are_read_though_neither_can_be(tmp_path: Path) -> None:
    (tmp_path / "lakebed.production.toml").write_text("\nx = [")
    found = verdict(tmp_path, "x = ", "production")
    assert [(Path(one.where).name, one.line) for one in found.errors] == [
        ("lakebed.toml", 1),
        ("lakebed.production.toml", 2),
    ]


def test_what_is_right_is_said_to_be(tmp_path: Path) -> None:
    found = verdict(tmp_path, "log = 'info'")
    assert found.findings == ()
    assert found.settings
    assert found.settings.log == "info"


def test_a_wrong_environment_is_wrong(tmp_path: Path) -> None:
    assert told(verdict(tmp_path, "", "No")) == [("LAKEBED_ENV", None)]


def test_an_environment_whose_file_is_missing_is_doubtful(tmp_path: Path) -> None:
    found = verdict(tmp_path, "", "prod")
    assert not found.errors
    assert "the environment prod has no file of its own" in str(found.findings[0])


def test_a_reference_that_leads_nowhere_here_is_doubtful(tmp_path: Path) -> None:
    text = "[stores.lake]\naccess_key = 'env:AK'\nsecret_key = 'env:SK'\n"
    found = verdict(tmp_path, text, AK="known")
    assert (told(found), told(found, "warning")) == ([], [("stores.lake.secret_key", 3)])


@pytest.mark.parametrize("text", ["a" + ".a" * 3000 + " = 1", "a = " + "[" * 90 + "]" * 90])
def test_tables_without_end_are_refused(tmp_path: Path, text: str) -> None:
    assert "without end" in str(verdict(tmp_path, text).errors[0])


SECRETS = """
ledger = "postgresql://u:hush@h/db"
[stores.lake]
access_key = "AKIAEXAMPLE"
secret_key = "hush"
session_token = '''
hush'''
proxy = "http://u:hush@proxy:1"
[stores.lake.timeouts]
total = 3
"""
PLACES = [
    ("ledger", 2),
    ("stores.lake.secret_key", 5),
    ("stores.lake.session_token", 6),
    ("stores.lake.proxy", 8),
]


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_secret_in_a_file_is_wrong_where_it_is_guarded(tmp_path: Path, environment: str) -> None:
    (tmp_path / f"lakebed.{environment}.toml").write_text("")
    found = verdict(tmp_path, SECRETS, environment)
    assert told(found) == PLACES
    assert "hush" not in " ".join(map(str, found.findings))


@pytest.mark.parametrize("environment", ["", "development"])
def test_a_secret_in_any_other_file_is_doubtful(tmp_path: Path, environment: str) -> None:
    (tmp_path / "lakebed.development.toml").write_text("")
    found = verdict(tmp_path, SECRETS, environment)
    assert (told(found), told(found, "warning")) == ([], PLACES)


def test_a_secret_that_the_other_file_replaces_is_still_in_its_file() -> None:
    base = parsed(Path("/x/lakebed.toml"), "[stores.lake]\nsecret_key = 'hush'")
    upper = parsed(Path("/x/lakebed.staging.toml"), "[stores.lake]\nsecret_key = 'env:X'")
    (found,) = literals(Layers((base, upper), {}))
    assert (found.where, found.line) == ("/x/lakebed.toml", 2)


@pytest.mark.parametrize(
    ("key", "text", "literal"),
    [
        ("secret_key", "env:X", False),
        ("secret_key", "file:/x", False),
        ("secret_key", "", False),
        ("secret_key", "http://x", True),
        ("access_key", "AKIA", False),
        ("anything_new", "x", True),
        ("ledger", "sqlite:////home/u@corp/x?timeout=9", False),
        ("ledger", "postgresql://h/db", False),
        ("ledger", "postgresql://u@h:5432,[::1]/db?sslmode=require&passfile=x", False),
        ("ledger", "postgresql://u:p@h/db", True),
        ("ledger", "postgresql://u:p/w@h/db", True),
        ("ledger", "postgresql://u:p?w@h/db", True),
        ("ledger", "postgresql://h/db?password=p", True),
        ("ledger", "postgresql://h/db?sslpassword=p", True),
        ("ledger", "postgresql://h/db?x=a@b", True),
        ("ledger", "postgresql://u:word/db", True),
        ("ledger", "no url", True),
        ("proxy", "http://proxy:3128", False),
        ("proxy", "http://token@proxy", True),
    ],
)
def test_what_is_a_secret_and_what_is_only_where_one_is_kept(
    key: str, text: str, literal: bool
) -> None:
    assert is_literal(key, text) is literal
