"""The tables of the documents, which are made from the code."""

import runpy
from collections.abc import Callable

import pytest

from tests.docs.pages import DOCS, text_of


@pytest.mark.parametrize(
    ("name", "tables"),
    [("api", 4), ("configuration", 3), ("design", 3), ("events", 2), ("metrics", 1)],
)
def test_the_tables_of_a_page_are_those_of_the_code(name: str, tables: int) -> None:
    renewed: Callable[[str], str] = runpy.run_path(str(DOCS / "tables.py"))["renewed"]
    page = text_of(DOCS / f"{name}.md")
    assert page.count("<!-- table: ") == tables
    assert renewed(page) == page, "run: python docs/tables.py"
