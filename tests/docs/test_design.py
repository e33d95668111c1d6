"""The design page speaks of the code as it is."""

import re
import tomllib
from enum import StrEnum
from pathlib import Path

import pytest

from lakebed.model.operation import (
    Compare,
    Decision,
    Lane,
    Mode,
    ObjectState,
    OnChange,
    OperationState,
    Proof,
)
from lakebed.store.capabilities import Capability
from tests.docs.pages import DESIGN, DOCS, ROOT, text_of, words

PACKAGE = ROOT / "src" / "lakebed"
BASES = (PACKAGE, ROOT)
SPEAKING = (DESIGN, *sorted((DOCS / "adr").iterdir()))
PATH = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*(/|\.py|\.md|\.toml)")
"""A folder, or a file of the kinds that the pages speak of."""


def _folders() -> list[str]:
    """The folders of the table, from the top."""
    section = text_of(DESIGN).partition("\n## Folders\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([a-z_.]+)/?` \|", section, re.MULTILINE)


@pytest.mark.parametrize(
    "named",
    [Capability, Decision, Lane, Mode, ObjectState, OnChange, OperationState, Proof],
    ids=lambda named: named.__name__,
)
def test_each_name_is_explained(named: type[StrEnum]) -> None:
    # Choices are written as in the help: fail|keep|replace.
    said = {word for code in words(DESIGN) for word in re.split(r"[| ]", code)}
    assert {str(one) for one in named} <= said


def test_each_way_to_compare_is_explained() -> None:
    said = " ".join(words(DESIGN))
    assert all(str(one) in said for one in Compare)


def test_each_folder_has_its_line() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert set(_folders()) == {*folders, "errors.py"}


def test_folders_stand_in_the_order_of_the_layers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    modules = [name for layer in layers for name in layer.split(" | ")]
    order = [name.removeprefix("lakebed.") for name in modules if name != "lakebed.library"]
    assert [name.removesuffix(".py") for name in _folders()] == order


@pytest.mark.parametrize("page", SPEAKING, ids=lambda page: page.name)
def test_each_path_is_there(page: Path) -> None:
    """Paths are written from the package or from the root of the repository."""
    for path in filter(PATH.fullmatch, words(page)):
        first = path.partition("/")[0]
        if path[-1] != "/" or any((base / first).is_dir() for base in BASES):
            assert any((base / path).exists() for base in BASES), f"{path} is not there"
