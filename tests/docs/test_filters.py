"""The page of the filters is true of the filters."""

import re
from datetime import UTC, datetime

import pytest

from lakebed.model.operation import Filters
from lakebed.transfer.filters import Selector
from tests.docs.pages import DOCS, text_of

PAGE = DOCS / "filters.md"


def _rows() -> list[list[list[str]]]:
    """The cells of the table of examples, each with what is set in code."""
    table = text_of(PAGE).partition("<!-- examples -->")[2].partition("<!-- end -->")[0]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()[3:]]
    return [[re.findall("`([^`]+)`", cell) for cell in row] for row in cells]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0][0])
def test_each_example_is_true(row: list[list[str]]) -> None:
    (glob,), matched, refused = row
    assert matched
    assert refused
    selector = Selector.of(Filters(patterns=((True, glob),)))
    moment = datetime(2026, 5, 8, tzinfo=UTC)
    assert [key for key in (*matched, *refused) if selector.selects(key, 0, moment)] == matched
