"""The documents lead to each other."""

from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, README, ROOT, anchors, links


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_each_link_resolves(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leaves the repository"
        assert not anchor or anchor in anchors(target), f"{link} names no heading"


def test_the_readme_leads_to_each_document() -> None:
    found = {(ROOT / link).resolve() for link in links(README)}
    assert {*DOCS.glob("*.md"), DOCS / "adr" / "README.md"} <= found
    assert {ROOT / "CHANGELOG.md", DOCS / "run.svg", ROOT / "LICENSE"} <= found
