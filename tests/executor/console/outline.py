"""A page as one hears it who does not see it, and as a browser loads it."""

from collections import Counter
from html.parser import HTMLParser

VOID = ("br", "input", "link", "meta")
FIELDS = ("input", "select", "textarea")


class Outline(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.title = self.text = self.language = ""
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.buttons: list[str] = []
        self.unnamed: list[str] = []
        """Links and buttons that say nothing, landmarks of one kind without a name."""
        self.inline: list[str] = []
        """Scripts, styles and handlers that are in the page itself."""
        self.fetched: list[str] = []
        self.scripts: list[str] = []
        self.values: list[str] = []
        self.referred: set[str] = set()
        """Ids that labels and descriptions speak of."""
        self._elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[tuple[str, dict[str, str], int]] = []
        self.feed(text)
        self.close()
        assert self._open == []

    @property
    def landmarks(self) -> Counter[str]:
        return Counter(tag for tag, _ in self._elements if tag in ("header", "main", "footer"))

    @property
    def unlabelled(self) -> list[str]:
        labelled = {found.get("for") for tag, found in self._elements if tag == "label"}
        return [
            str(found)
            for tag, found in self._elements
            if tag in FIELDS and found.get("type") != "hidden" and found.get("id") not in labelled
        ]

    def data(self, element_id: str, name: str) -> str:
        (found,) = [one for _, one in self._elements if one.get("id") == element_id]
        return found[f"data-{name}"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._elements.append((tag, found))
        if tag not in VOID:
            self._open.append((tag, found, len(self.text)))
        if tag == "html":
            self.language = found["lang"]
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))
        if "id" in found:
            self.ids.append(found["id"])
        for name in ("for", "aria-labelledby", "aria-describedby", "list"):
            self.referred |= set(found.get(name, "").split())
        self.inline += [f"{tag} {name}" for name in found if name == "style" or name[:2] == "on"]
        if tag == "style" or (tag == "script" and "src" not in found):
            self.inline.append(tag)
        if tag == "script":
            self.scripts.append(found.get("src", ""))
        self.fetched += [found["src"]] if "src" in found else []
        self.fetched += [found["href"]] if tag == "link" else []
        self.values += [found["value"]] if tag == "data" else []
        if tag == "nav" and "aria-label" not in found:
            self.unnamed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        opened, found, since = self._open.pop()
        assert opened == tag, f"{opened} is closed by {tag}"
        said = self.text[since:].strip() or found.get("aria-label", "")
        if tag == "a":
            self.links.append((found["href"], said))
        elif tag == "button":
            self.buttons.append(said)
        elif tag == "title" and not self.title:
            self.title = said
        if tag in ("a", "button", "th", "label", "h1", "h2", "h3", "summary") and not said:
            self.unnamed.append(str(found))

    def handle_data(self, data: str) -> None:
        self.text += data
