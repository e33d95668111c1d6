"""The documents, and what is written in them."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README, CHANGELOG, DESIGN = ROOT / "README.md", ROOT / "CHANGELOG.md", DOCS / "design.md"
PAGES = (README, CHANGELOG, *sorted(DOCS.rglob("*.md")))

_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    found = _BLOCK.finditer(text_of(page))
    return [block["text"] for block in found if block["language"] == language]


def links(page: Path) -> list[str]:
    """Where the page's links lead within the repository."""
    found = [link["target"] for link in _LINK.finditer(_BLOCK.sub("", text_of(page)))]
    return [target for target in found if "://" not in target]


def anchors(page: Path) -> set[str]:
    """What a link can name after `#`: a heading, in lower case, with dashes for spaces."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", text_of(page)), re.MULTILINE)
    return {"".join(_slug(heading)) for heading in headings}


def words(page: Path) -> set[str]:
    """What is set in code: `like this`."""
    return set(re.findall(r"`([^`\n]+)`", _BLOCK.sub("", text_of(page))))


def _slug(heading: str) -> Iterator[str]:
    for character in heading.lower():
        if character == " ":
            yield "-"
        elif character in "-_" or unicodedata.category(character)[0] in "LN":
            yield character
