"""A page, read as a program reads it."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Its tables as rows of texts, and each script and style as it is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        """Element, its attributes and its content, of scripts and styles."""
        self.metas: dict[str, str] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside: list[str] = []
        self.feed(text)
        self.close()
        assert self._inside == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        if tag in ("meta", "br"):
            self.metas[found.get("http-equiv") or found.get("name") or ""] = (
                found.get("content") or ""
            )
            return
        self._inside.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag in ("script", "style"):
            self.raw.append((tag, found, ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._inside and self._inside[-1] in ("script", "style"):
            tag, attributes, before = self.raw[-1]
            self.raw[-1] = (tag, attributes, before + data)
            return
        self.text += data
        if "td" in self._inside or "th" in self._inside:
            self.tables[-1][-1][-1] += " ".join(data.split())

    def table(self, *headings: str) -> list[list[str]]:
        """The rows of the one table whose headings begin so."""
        (found,) = [rows for rows in self.tables if rows[0][: len(headings)] == list(headings)]
        return found[1:]
