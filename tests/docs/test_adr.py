"""The decisions are numbered, listed and of one shape."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, links, text_of

INDEX = DOCS / "adr" / "README.md"
DECISIONS = sorted(path for path in INDEX.parent.iterdir() if path != INDEX)


def test_they_are_numbered_without_a_gap() -> None:
    numbers = [path.name[:5] for path in DECISIONS]
    assert numbers == [f"{number:04}-" for number in range(1, len(DECISIONS) + 1)]


def test_the_index_lists_each_once_in_order() -> None:
    assert links(INDEX) == [path.name for path in DECISIONS]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name[:4])
def test_each_has_the_same_shape(page: Path) -> None:
    text = text_of(page)
    title = re.match(r"# (\d{4})\. (.+)\n", text)
    assert title is not None
    assert title[1] == page.name[:4]
    assert f"[{title[1]}]({page.name}) | {title[2].partition(':')[0]}" in text_of(INDEX)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Context",
        "Decision",
        "Consequences",
        "What was measured",
    ]
