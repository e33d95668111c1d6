"""The page of the API names each option of `sync` and each field of a request once."""

import runpy
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from lakebed.cli.app import build
from lakebed.cli.options import EVERYWHERE
from tests.docs.pages import DOCS, text_of, words

TABLES = runpy.run_path(str(DOCS / "tables.py"))
PAGE: Path = DOCS / "api.md"
MAPPED = {
    option
    for options in TABLES["OPTIONS"].values()
    for option in options.split(", ")
    if option.startswith("--")
}


def _options_of_sync() -> set[str]:
    root = get_command(build(("sync",)))
    assert isinstance(root, TyperGroup)
    parameters = root.commands["sync"].params
    return {name for one in parameters for name in one.opts if name.startswith("--")}


def test_each_option_of_sync_has_its_name_or_is_of_this_machine() -> None:
    own = _options_of_sync() - set(EVERYWHERE) - {"--help"}
    assert own == MAPPED | TABLES["HERE_ONLY"]
    assert not MAPPED & TABLES["HERE_ONLY"]


def test_each_field_has_its_row() -> None:
    rows = text_of(PAGE)
    assert all(f"\n| `{name}` | " in rows for name in TABLES["OPTIONS"])


def test_what_is_refused_at_an_executor_is_named() -> None:
    refused = {"--inventory", "--metrics-listen", "--metrics-file"}
    assert refused <= TABLES["HERE_ONLY"] & words(PAGE)
